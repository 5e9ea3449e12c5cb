/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The native part of a live Python process: rows of the files that it executes, names of functions,
 * and the registers of its threads, which only a tracer is told. */
#ifndef HOST_NATIVE_LIVE_H
#define HOST_NATIVE_LIVE_H

#include <sys/ptrace.h>
#include <sys/user.h>

#include "base/strings.h"
#include "host/native_part.h"
#include "proc/mappings.h"
#include "python/eval_ranges.h"
#include "symbols/elf.h"
#include "unwind/rows.h"

enum { MAX_LOOPS = 16 };

struct native_file {
	uint64_t start, end; /* of a mapping */
	uint64_t address; /* the file's own of start */
	struct elf_symbols *symbols;
};

static struct native_file native_files[256];
static size_t native_file_count;

/* The rows of one mapping, in as many chunks and ranges as it takes. */
static bool native_live__add_rows(const struct native_file *file, const struct unwind_rows *rows)
{
	uint64_t from = file->address - rows->base, to = from + (file->end - file->start);

	for (size_t done = 0; done < rows->count; done += PS_UNWIND_CHUNK_ROWS) {
		size_t count = rows->count - done;
		struct ps_unwind_chunk *chunk = native_part__add_chunk();
		uint64_t start = done ? rows->rows[done].address : 0, end = to;
		struct ps_unwind_range range = {.chunk = (uint32_t)native.chunk_count - 1};

		if (!chunk)
			return false;
		if (count > PS_UNWIND_CHUNK_ROWS) {
			count = PS_UNWIND_CHUNK_ROWS;
			end = rows->rows[done + count].address;
		}
		memcpy(chunk->rows, rows->rows + done, count * sizeof(rows->rows[0]));
		start = start > from ? start : from;
		end = end < to ? end : to;
		if (start >= end)
			continue;
		range.start = file->start + (start - from);
		range.size = (uint32_t)(end - start);
		range.delta = (uint32_t)start;
		range.last = (uint16_t)(count - 1);
		if (!native_part__add_range(&range))
			return false;
	}
	return true;
}

static bool native_live__add_file(const struct mapping *mapping)
{
	struct native_file *file = &native_files[native_file_count];
	struct ps_unwind_range range = {.start = mapping->start,
					.size = (uint32_t)(mapping->end - mapping->start),
					.chunk = PS_UNWIND_NO_ROWS};
	_cleanup_close_ int fd = open(mapping->file.path, O_RDONLY | O_CLOEXEC);
	struct eval_range loops[MAX_LOOPS];
	struct python_binary binary;
	struct unwind_rows rows;
	size_t loop_count = 0;
	bool good;

	if (fd < 0 || unwind_rows__compile(fd, &rows))
		return native_part__add_range(&range); /* the vDSO, for instance */
	*file = (struct native_file){mapping->start, mapping->end, 0, NULL};
	good = native_file_count + 1 < sizeof(native_files) / sizeof(native_files[0]) &&
	       !elf_symbols__open_with(fd, mapping->file.path, NULL, &file->symbols) &&
	       !elf_symbols__vaddr(file->symbols, mapping->offset, &file->address);
	native_file_count += good;
	if (good && !python_binary__probe(fd, &binary))
		good = !eval_ranges__find(fd, loops, MAX_LOOPS, &loop_count) && loop_count;
	for (size_t i = 0; i < loop_count && good; i++)
		good = !unwind_rows__mark(&rows, loops[i].start, loops[i].end);
	good = good && native_live__add_rows(file, &rows);
	unwind_rows__clear(&rows);
	return good;
}

static void native_live__clear(void)
{
	while (native_file_count)
		elf_symbols__free(native_files[--native_file_count].symbols);
	native_part__clear();
}

/* The function's name, into room for 64 bytes; "?" for none. */
static void native_live__name(uint64_t address, char *ret_name)
{
	struct elf_symbol symbol;

	snprintf(ret_name, 64, "?");
	for (size_t i = 0; i < native_file_count; i++) {
		const struct native_file *file = &native_files[i];

		if (address >= file->start && address < file->end &&
		    !elf_symbols__find(file->symbols, address - file->start + file->address,
				       &symbol))
			snprintf(ret_name, 64, "%s", symbol.name);
	}
}

static bool native_live__registers(pid_t tid, struct user_regs_struct *ret)
{
	bool good = !ptrace(PTRACE_SEIZE, tid, NULL, NULL) &&
		    !ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) &&
		    waitpid(tid, NULL, __WALL) == tid && !ptrace(PTRACE_GETREGS, tid, NULL, ret);

	ptrace(PTRACE_DETACH, tid, NULL, NULL);
	return good;
}

/* Of all threads, each known by its fs base. */
static bool native_live__all_registers(const struct python_process *process)
{
	char path[64];
	const struct dirent *entry;
	struct user_regs_struct registers;
	size_t found = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", process->pid);
	for (folder = opendir(path); folder && (entry = readdir(folder));) {
		if (entry->d_name[0] == '.' ||
		    !native_live__registers((pid_t)atoi(entry->d_name), &registers))
			continue;
		for (size_t i = 0; i < process->thread_count; i++) {
			struct native_thread *thread = &native.threads[i];

			if (registers.fs_base != process->threads[i].tcb)
				continue;
			thread->rip = registers.rip;
			thread->rsp = registers.rsp;
			thread->rbp = registers.rbp;
			found++;
		}
	}
	if (folder)
		closedir(folder);
	return found == process->thread_count;
}

/* What python_process__start() started. native_live__clear() afterwards. */
static bool native_live__read(const struct python_process *process)
{
	struct string_pool *pool = string_pool__new();
	struct mapping_set *set = NULL;
	bool good = pool && !mapping_set__read(process->pid, pool, &set);

	for (size_t i = 0; good && i < mapping_set__count(set); i++)
		good = native_live__add_file(mapping_set__at(set, i));
	mapping_set__unref(set);
	string_pool__free(pool);
	return good;
}

#endif
