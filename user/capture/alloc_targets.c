// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/alloc_targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/strings.h"
#include "capture/binaries.h"
#include "proc/mappings.h"
#include "symbols/elf.h"

#define FIRST_BYTES 5 /* of a function that are looked at */

enum family { FAMILY_C, FAMILY_CXX, FAMILY_PYTHON };

/* Of several names of one function the tables of symbols tell one: so those of aliases are here
 * too. */
static const struct known {
	const char *symbol, *name;
	enum ps_alloc_kind kind;
	enum family family;
} known[] = {
	{"malloc", "malloc", PS_ALLOC_SIZE, FAMILY_C},
	{"calloc", "calloc", PS_ALLOC_PRODUCT, FAMILY_C},
	{"realloc", "realloc", PS_ALLOC_AGAIN, FAMILY_C},
	{"free", "free", PS_ALLOC_FREE, FAMILY_C},
	{"cfree", "free", PS_ALLOC_FREE, FAMILY_C},
	{"posix_memalign", "posix_memalign", PS_ALLOC_INTO, FAMILY_C},
	{"aligned_alloc", "aligned_alloc", PS_ALLOC_ALIGNED, FAMILY_C},
	{"memalign", "memalign", PS_ALLOC_ALIGNED, FAMILY_C},
	{"valloc", "valloc", PS_ALLOC_SIZE, FAMILY_C},
	{"pvalloc", "pvalloc", PS_ALLOC_SIZE, FAMILY_C},
	/* jemalloc and tcmalloc, where they do not take the C library's names */
	{"je_malloc", "je_malloc", PS_ALLOC_SIZE, FAMILY_C},
	{"je_calloc", "je_calloc", PS_ALLOC_PRODUCT, FAMILY_C},
	{"je_realloc", "je_realloc", PS_ALLOC_AGAIN, FAMILY_C},
	{"je_free", "je_free", PS_ALLOC_FREE, FAMILY_C},
	{"je_posix_memalign", "je_posix_memalign", PS_ALLOC_INTO, FAMILY_C},
	{"je_aligned_alloc", "je_aligned_alloc", PS_ALLOC_ALIGNED, FAMILY_C},
	{"je_memalign", "je_memalign", PS_ALLOC_ALIGNED, FAMILY_C},
	{"mallocx", "mallocx", PS_ALLOC_SIZE, FAMILY_C},
	{"rallocx", "rallocx", PS_ALLOC_AGAIN, FAMILY_C},
	{"dallocx", "dallocx", PS_ALLOC_FREE, FAMILY_C},
	{"sdallocx", "sdallocx", PS_ALLOC_FREE, FAMILY_C},
	{"tc_malloc", "tc_malloc", PS_ALLOC_SIZE, FAMILY_C},
	{"tc_calloc", "tc_calloc", PS_ALLOC_PRODUCT, FAMILY_C},
	{"tc_realloc", "tc_realloc", PS_ALLOC_AGAIN, FAMILY_C},
	{"tc_free", "tc_free", PS_ALLOC_FREE, FAMILY_C},
	{"tc_cfree", "tc_free", PS_ALLOC_FREE, FAMILY_C},
	{"tc_posix_memalign", "tc_posix_memalign", PS_ALLOC_INTO, FAMILY_C},
	{"tc_memalign", "tc_memalign", PS_ALLOC_ALIGNED, FAMILY_C},
	{"tc_valloc", "tc_valloc", PS_ALLOC_SIZE, FAMILY_C},
	{"tc_pvalloc", "tc_pvalloc", PS_ALLOC_SIZE, FAMILY_C},
	{"_Znwm", "operator new", PS_ALLOC_NEW, FAMILY_CXX},
	{"_Znam", "operator new[]", PS_ALLOC_NEW, FAMILY_CXX},
	{"_ZnwmRKSt9nothrow_t", "operator new", PS_ALLOC_NEW, FAMILY_CXX},
	{"_ZnamRKSt9nothrow_t", "operator new[]", PS_ALLOC_NEW, FAMILY_CXX},
	{"_ZnwmSt11align_val_t", "operator new", PS_ALLOC_NEW, FAMILY_CXX},
	{"_ZnamSt11align_val_t", "operator new[]", PS_ALLOC_NEW, FAMILY_CXX},
	{"_ZdlPv", "operator delete", PS_ALLOC_DELETE, FAMILY_CXX},
	{"_ZdaPv", "operator delete[]", PS_ALLOC_DELETE, FAMILY_CXX},
	{"tc_new", "operator new", PS_ALLOC_NEW, FAMILY_CXX},
	{"tc_newarray", "operator new[]", PS_ALLOC_NEW, FAMILY_CXX},
	{"tc_delete", "operator delete", PS_ALLOC_DELETE, FAMILY_CXX},
	{"tc_deletearray", "operator delete[]", PS_ALLOC_DELETE, FAMILY_CXX},
	{"PyMem_RawMalloc", "PyMem_RawMalloc", PS_ALLOC_SIZE, FAMILY_PYTHON},
	{"PyMem_RawCalloc", "PyMem_RawCalloc", PS_ALLOC_PRODUCT, FAMILY_PYTHON},
	{"PyMem_RawRealloc", "PyMem_RawRealloc", PS_ALLOC_AGAIN, FAMILY_PYTHON},
	{"PyMem_RawFree", "PyMem_RawFree", PS_ALLOC_FREE, FAMILY_PYTHON},
	{"PyMem_Malloc", "PyMem_Malloc", PS_ALLOC_SIZE, FAMILY_PYTHON},
	{"PyMem_Calloc", "PyMem_Calloc", PS_ALLOC_PRODUCT, FAMILY_PYTHON},
	{"PyMem_Realloc", "PyMem_Realloc", PS_ALLOC_AGAIN, FAMILY_PYTHON},
	{"PyMem_Free", "PyMem_Free", PS_ALLOC_FREE, FAMILY_PYTHON},
	{"PyObject_Malloc", "PyObject_Malloc", PS_ALLOC_SIZE, FAMILY_PYTHON},
	{"PyObject_Calloc", "PyObject_Calloc", PS_ALLOC_PRODUCT, FAMILY_PYTHON},
	{"PyObject_Realloc", "PyObject_Realloc", PS_ALLOC_AGAIN, FAMILY_PYTHON},
	{"PyObject_Free", "PyObject_Free", PS_ALLOC_FREE, FAMILY_PYTHON},
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* An allocator in a file. */
struct found {
	const struct known *known;
	uint64_t vaddr; /* as the file has it */
	uint32_t number, flags;
};

/* A file that was looked at, for all processes that map it. */
struct known_file {
	uint64_t device, inode;
	int64_t changed_ns; /* inode numbers are given out again */
	struct found found[KNOWN];
	size_t count;
	bool c_library; /* it has glibc's allocator, or musl's */
	struct elf_symbols *symbols; /* NULL: there is nothing in it */
};

struct alloc_targets {
	bool python;
	struct known_file *files;
	size_t file_count, file_capacity;
	struct alloc_function functions[ALLOC_TARGETS_FUNCTIONS];
	uint32_t function_count;
};

struct alloc_targets *alloc_targets__new(bool python)
{
	struct alloc_targets *targets = calloc(1, sizeof(*targets));

	if (targets)
		targets->python = python;
	return targets;
}

void alloc_targets__free(struct alloc_targets *targets)
{
	if (!targets)
		return;
	for (size_t i = 0; i < targets->file_count; i++)
		elf_symbols__free(targets->files[i].symbols);
	for (uint32_t i = 0; i < targets->function_count; i++)
		free(targets->functions[i].module);
	free(targets->files);
	free(targets);
}

const struct alloc_function *alloc_targets__function(const struct alloc_targets *targets,
						     uint32_t number)
{
	return number < ALLOC_TARGETS_FUNCTIONS && targets->functions[number].name
		       ? &targets->functions[number]
		       : NULL;
}

/* The kernel does itself what push and nop do. */
bool alloc_targets__is_stepped(const uint8_t *code, size_t size)
{
	if (size && code[0] == 0x41) { /* r8 to r15 */
		code++;
		size--;
		return !(size && code[0] >= 0x50 && code[0] <= 0x57);
	}
	return !(size && ((code[0] >= 0x50 && code[0] <= 0x57) || code[0] == 0x90));
}

/* --- files */

static int take_symbol(void *context, const struct elf_symbol *symbol)
{
	struct known_file *file = context;

	/* __libc_malloc is jemalloc's and tcmalloc's, too. */
	file->c_library |=
		!strcmp(symbol->name, "_int_malloc") || !strcmp(symbol->name, "__libc_malloc_impl");
	if (!symbol->size || file->count == KNOWN)
		return 0;
	for (size_t i = 0; i < KNOWN; i++)
		if (!strcmp(symbol->name, known[i].symbol))
			file->found[file->count++] =
				(struct found){.known = &known[i], .vaddr = symbol->start};
	return 0;
}

/* Who has a malloc of its own has its free. In tcmalloc that is operator delete, too, and the
 * tables of symbols may tell that name of it. */
static void name_free(struct known_file *file)
{
	struct found *deletes = NULL;
	size_t delete_count = 0;
	bool has_malloc = false, has_free = false;

	for (size_t i = 0; i < file->count; i++) {
		const struct known *one = file->found[i].known;

		has_malloc |= one->kind == PS_ALLOC_SIZE && one->family == FAMILY_C;
		has_free |= one->kind == PS_ALLOC_FREE && one->family == FAMILY_C;
		if (one->kind == PS_ALLOC_DELETE) {
			deletes = &file->found[i];
			delete_count++;
		}
	}
	for (size_t i = 0; i < KNOWN && has_malloc && !has_free && delete_count == 1; i++)
		if (!strcmp(known[i].symbol, "free"))
			deletes->known = &known[i];
}

/* It does nothing but jump to another one of them, which is counted anyway, as jemalloc's new[]. */
static bool is_other_name(const struct known_file *file, const struct found *found,
			  const uint8_t code[FIRST_BYTES])
{
	int32_t distance;

	memcpy(&distance, code + 1, sizeof(distance));
	for (size_t i = 0; i < file->count && code[0] == 0xe9; i++)
		if (&file->found[i] != found &&
		    file->found[i].vaddr ==
			    found->vaddr + FIRST_BYTES + (uint64_t)(int64_t)distance)
			return true;
	return false;
}

static int add_function(struct alloc_targets *targets, const char *module,
			const struct known_file *file, struct found *found, bool other_name)
{
	bool c_library = !strncmp(module, "libc.so", 7) || !strncmp(module, "libc-2.", 7);
	struct alloc_function *function = &targets->functions[targets->function_count];
	bool has_malloc = false;

	/* Who has a malloc of its own has operators that own their blocks; but in a program that
	 * is linked statically they are libstdc++'s, which ask the C library's. */
	for (size_t i = 0; i < file->count && !file->c_library; i++)
		has_malloc |= file->found[i].known->kind == PS_ALLOC_SIZE &&
			      file->found[i].known->family == FAMILY_C;
	if (targets->function_count == ALLOC_TARGETS_FUNCTIONS)
		return -E2BIG;
	function->module = strdup(module);
	if (!function->module)
		return -ENOMEM;
	function->frees =
		found->known->kind == PS_ALLOC_FREE || found->known->kind == PS_ALLOC_DELETE;
	function->layered = other_name || (found->known->family == FAMILY_CXX && !has_malloc);
	function->heads = c_library && found->known->family == FAMILY_C;
	function->name = found->known->name;
	found->number = targets->function_count++;
	found->flags |= function->heads ? PS_ALLOC_HEADS : 0;
	if (found->known->family == FAMILY_CXX && !function->layered)
		found->flags |= PS_ALLOC_OWN;
	return 0;
}

static int look_into(struct alloc_targets *targets, struct known_file *file, int fd,
		     const struct mapping *mapping)
{
	const char *slash = strrchr(mapping->file.path ?: "", '/');
	const char *module = slash ? slash + 1 : mapping->file.path ?: "";
	uint64_t vaddr;
	int err = 0;

	if (elf_symbols__open(fd, NULL, &file->symbols))
		return 0; /* no program */
	err = elf_symbols__each(file->symbols, take_symbol, file);
	if (err == -EBADMSG || err == -EFBIG)
		err = file->count = 0; /* its symbols are of no use */
	if (err || !file->count || elf_symbols__vaddr(file->symbols, mapping->offset, &vaddr)) {
		elf_symbols__free(file->symbols);
		file->symbols = NULL;
		return err;
	}
	name_free(file);
	for (size_t i = 0; i < file->count && !err; i++) {
		struct found *found = &file->found[i];
		uint8_t code[FIRST_BYTES] = {0};

		if (file__read_at(fd, mapping->offset + (found->vaddr - vaddr), code,
				  sizeof(code)) ||
		    alloc_targets__is_stepped(code, sizeof(code)))
			found->flags = PS_ALLOC_STEPPED;
		err = add_function(targets, module, file, found, is_other_name(file, found, code));
	}
	return err;
}

static int find_file(struct alloc_targets *targets, pid_t pid, const struct mapping *mapping,
		     size_t *ret_file)
{
	_cleanup_close_ int fd = -1;
	struct known_file *file;
	struct stat status;
	int64_t changed_ns;
	int err;

	fd = binary__open(pid, mapping);
	if (fd < 0)
		return fd;
	if (fstat(fd, &status))
		return -errno;
	changed_ns = (int64_t)status.st_ctim.tv_sec * 1000000000 + status.st_ctim.tv_nsec;
	for (size_t i = 0; i < targets->file_count; i++) {
		file = &targets->files[i];
		if (file->device == mapping->file.device && file->inode == mapping->file.inode &&
		    file->changed_ns == changed_ns) {
			*ret_file = i;
			return 0;
		}
	}
	err = array__reserve(&targets->files, &targets->file_capacity, sizeof(*targets->files),
			     targets->file_count + 1);
	if (err)
		return err;
	file = &targets->files[targets->file_count];
	*file = (struct known_file){.device = mapping->file.device,
				    .inode = mapping->file.inode,
				    .changed_ns = changed_ns};
	*ret_file = targets->file_count++;
	return look_into(targets, file, fd, mapping);
}

/* --- processes */

static bool is_in(const struct alloc_point_list *list, pid_t pid, uint64_t address)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].pid == pid && list->items[i].address == address)
			return true;
	return false;
}

static int add_point(struct alloc_point_list *list, const struct alloc_point *point,
		     const struct mapping *mapping)
{
	int err = list->count < PS_ALLOC_POINTS ? 0 : -E2BIG;

	err = err
		      ?: array__reserve(&list->items, &list->capacity, sizeof(*list->items),
					list->count + 1);
	if (err)
		return err;
	list->items[list->count] = *point;
	if (asprintf(&list->items[list->count].path, "/proc/%d/map_files/%llx-%llx", point->pid,
		     (unsigned long long)mapping->start, (unsigned long long)mapping->end) < 0)
		return -ENOMEM;
	list->count++;
	return 0;
}

static int add_points(const struct alloc_targets *targets, const struct known_file *file, pid_t pid,
		      const struct mapping *mapping, struct alloc_point_list *list)
{
	uint64_t vaddr, room = mapping->end - mapping->start;
	int err = 0;

	if (!file->symbols || elf_symbols__vaddr(file->symbols, mapping->offset, &vaddr))
		return 0;
	for (size_t i = 0; i < file->count && !err; i++) {
		const struct found *found = &file->found[i];
		uint64_t distance = found->vaddr - vaddr;
		const struct alloc_point point = {
			.pid = pid,
			.offset = mapping->offset + distance,
			.address = mapping->start + distance,
			.target = {.kind = found->known->kind,
				   .allocator = found->number,
				   .flags = found->flags},
		};

		if (found->vaddr < vaddr || distance >= room ||
		    (found->known->family == FAMILY_PYTHON && !targets->python) ||
		    is_in(list, pid, point.address))
			continue;
		err = add_point(list, &point, mapping);
	}
	return err;
}

int alloc_targets__find(struct alloc_targets *targets, pid_t pid, struct alloc_point_list *list)
{
	struct string_pool *pool = string_pool__new();
	struct mapping_set *set = NULL;
	size_t from = list->count;
	int err = pool ? mapping_set__read(pid, pool, &set) : -ENOMEM;

	for (size_t i = 0; !err && i < mapping_set__count(set); i++) {
		const struct mapping *mapping = mapping_set__at(set, i);
		size_t file = 0;

		if (!mapping->file.inode)
			continue;
		err = find_file(targets, pid, mapping, &file);
		if (!err)
			err = add_points(targets, &targets->files[file], pid, mapping, list);
		else if (err != -ENOMEM && err != -E2BIG)
			err = 0; /* it is gone */
	}
	mapping_set__unref(set);
	string_pool__free(pool);
	for (size_t i = from; err && i < list->count; i++)
		list->items[i].lost = true;
	if (err)
		alloc_point_list__sweep(list);
	return err;
}

void alloc_point_list__sweep(struct alloc_point_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].lost)
			free(list->items[i].path);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

void alloc_point_list__clear(struct alloc_point_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].path);
	free(list->items);
	*list = (struct alloc_point_list){0};
}
