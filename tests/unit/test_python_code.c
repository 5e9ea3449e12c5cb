// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python base
#include "unit/python_child.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "python/binary.h"
#include "python/code.h"

#define MAX_TOLD   256
#define MAX_FRAMES 64

/* What the script says of itself. */
struct told_code {
	uint64_t address;
	int32_t first_line;
	char *name, *file;
};

struct told_frame {
	uint64_t code;
	int32_t line;
};

struct child {
	pid_t pid;
	FILE *from, *to;
	struct process_memory memory;
	struct told_code codes[MAX_TOLD];
	struct told_frame frames[MAX_TOLD];
	size_t code_count, frame_count;
	uint64_t text, tstate, ident;

	/* The file that the runtime is in. */
	char path[PATH_MAX];
	struct python_binary binary;
	uint64_t runtime, code_type; /* in the process */
};

static void take_line(struct child *child, char *line)
{
	char *kind = strtok(line, " \n"), *first = strtok(NULL, " \n"), *second, *name, *file;

	assert_non_null(kind);
	second = first ? strtok(NULL, " \n") : NULL;
	if (!strcmp(kind, "code")) {
		name = strtok(NULL, " \n");
		file = strtok(NULL, " \n");
		assert_non_null(file);
		assert_true(child->code_count < MAX_TOLD);
		child->codes[child->code_count++] = (struct told_code){
			.address = strtoull(first, NULL, 16),
			.first_line = (int32_t)strtol(second, NULL, 10),
			.name = parse_hex(name),
			.file = parse_hex(file),
		};
	} else if (!strcmp(kind, "frame")) {
		assert_true(child->frame_count < MAX_TOLD);
		child->frames[child->frame_count++] = (struct told_frame){
			.code = strtoull(first, NULL, 16),
			.line = (int32_t)strtol(second, NULL, 10),
		};
	} else if (!strcmp(kind, "thread")) {
		child->tstate = strtoull(first, NULL, 16);
		child->ident = strtoull(second, NULL, 16);
	} else if (!strcmp(kind, "text")) {
		child->text = strtoull(first, NULL, 16);
	}
}

/* "ready" is written from a frame above the ones told; they stand still once the process sleeps,
 * which it does nowhere but in reading its input. */
static void wait_until_asleep(pid_t pid)
{
	char path[64], stat[512], state = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 10000 && state != 'S'; i++) {
		_cleanup_fclose_ FILE *file = fopen(path, "re");

		assert_non_null(file);
		assert_non_null(fgets(stat, sizeof(stat), file));
		assert_int_equal(sscanf(strrchr(stat, ')'), ") %c", &state), 1);
		usleep(1000);
	}
	assert_int_equal(state, 'S');
}

static void start_child(struct child *child, const char *command)
{
	size_t capacity = 0;
	char *line = NULL;
	bool ready = false;

	memset(child, 0, sizeof(*child));
	child->pid = start_script(command, "python_code.py", &child->to, &child->from);
	child->memory = process_memory__of(child->pid);
	while (!ready && getline(&line, &capacity, child->from) > 0) {
		ready = !strcmp(line, "ready\n");
		take_line(child, line);
	}
	free(line);
	assert_true(ready);
	wait_until_asleep(child->pid);
}

static void stop_child(struct child *child)
{
	int status;

	fclose(child->to); /* the end of its input ends it */
	while (fgetc(child->from) != EOF)
		;
	fclose(child->from);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < child->code_count; i++) {
		free(child->codes[i].name);
		free(child->codes[i].file);
	}
}

static double now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* Probes every file that the process maps; exactly one must be a runtime. */
static void find_runtime(struct child *child, int minor)
{
	char path[64], line[PATH_MAX + 128], name[PATH_MAX];
	double python_us = 0, other_us = 0;
	int pythons = 0, others = 0;
	unsigned long start, offset;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", child->pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		_cleanup_close_ int fd = -1;
		struct python_binary binary;
		double begin;
		int err;

		/* The mapping of the ELF header; others of the same file repeat it. */
		if (sscanf(line, "%lx-%*x %*s %lx %*s %*s %4095[^\n]", &start, &offset, name) !=
			    3 ||
		    offset || name[0] != '/')
			continue;
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		begin = now_us();
		err = python_binary__probe(fd, &binary);
		if (err) {
			other_us += now_us() - begin;
			others++;
			assert_int_equal(err, -ENOENT);
			continue;
		}
		python_us += now_us() - begin;
		pythons++;
		assert_int_equal(binary.version, 0x0300 | minor);
		child->binary = binary;
		snprintf(child->path, sizeof(child->path), "%s", name);
		child->runtime = binary.runtime + start - first_address(fd);
		child->code_type = binary.code_type + start - first_address(fd);
	}
	fclose(maps);
	assert_int_equal(pythons, 1);
	print_message("  probe: %.0f us for %s; %d other mapped files, %.0f us each\n", python_us,
		      child->path, others, others ? other_us / others : 0);
}

static void compare_codes(const struct child *child)
{
	const struct python_layout *layout = &child->binary.layout;
	const struct memory *memory = &child->memory.memory;
	uint64_t fingerprints[MAX_TOLD];

	assert_true(child->code_count > 30);
	for (size_t i = 0; i < child->code_count; i++) {
		const struct told_code *told = &child->codes[i];
		struct python_code code;

		assert_int_equal(
			python_code__read(memory, layout, told->address, child->code_type, &code),
			0);
		assert_string_equal(code.name, told->name);
		assert_string_equal(code.file, told->file);
		assert_int_equal(code.first_line, told->first_line);
		assert_int_equal(python_code__line(&code, -1), told->first_line);
		assert_int_equal(python_code__fingerprint(memory, layout, told->address,
							  child->code_type, &fingerprints[i]),
				 0);
		assert_int_equal(fingerprints[i], code.fingerprint);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(fingerprints[i], fingerprints[j]);
		python_code__clear(&code);
		assert_null(code.name);

		/* Without the type the same. */
		assert_int_equal(python_code__read(memory, layout, told->address, 0, &code), 0);
		assert_string_equal(code.name, told->name);
		python_code__clear(&code);
	}
}

static uint64_t peek(const struct child *child, uint64_t address)
{
	uint64_t word;

	assert_int_equal(memory__read(&child->memory.memory, address, &word, sizeof(word)), 0);
	return word;
}

/* The walk that BPF does, with the layout that BPF gets: from the thread's state to every frame. */
static void compare_frames(const struct child *child)
{
	const struct ps_py_offsets *walker = &child->binary.layout.walker;
	uint64_t frame = peek(child, child->tstate + walker->tstate_frame);
	size_t frames = 0, shims = 0;

	assert_int_equal(peek(child, child->tstate + walker->tstate_thread_id), child->ident);
	if (walker->cframe_frame != PS_PY_NO_FIELD)
		frame = peek(child, frame + walker->cframe_frame);
	while (frame) {
		const struct told_frame *told = &child->frames[frames];
		uint8_t bytes[128];
		struct python_code code;
		uint64_t address, pointer;
		int32_t position;

		assert_true(walker->frame_size <= sizeof(bytes));
		assert_int_equal(
			memory__read(&child->memory.memory, frame, bytes, walker->frame_size), 0);
		memcpy(&frame, bytes + walker->frame_previous, sizeof(frame));
		if (walker->frame_owner != PS_PY_NO_FIELD &&
		    bytes[walker->frame_owner] == walker->shim_owner) {
			shims++;
			continue;
		}
		memcpy(&address, bytes + walker->frame_code, sizeof(address));
		address &= ~(uint64_t)walker->code_tag_bits;
		memcpy(&position, bytes + walker->frame_position, sizeof(position));
		memcpy(&pointer, bytes + walker->frame_position, sizeof(pointer));
		if (walker->position == PS_PY_INSTR_POINTER)
			position = (int32_t)(pointer - address - walker->code_bytecode);
		assert_true(frames < child->frame_count);
		assert_int_equal(address, told->code);
		assert_int_equal(python_code__read(&child->memory.memory, &child->binary.layout,
						   address, child->code_type, &code),
				 0);
		assert_int_equal(python_code__line(&code, position), told->line);
		python_code__clear(&code);
		frames++;
	}
	assert_int_equal(frames, child->frame_count);
	/* sorted() has entered the loop a second time. */
	if (walker->shim_owner != 0xff)
		assert_true(shims >= 2);
	print_message("  walked %zu frames, %zu entry frames\n", frames, shims);
}

/* The key that the walker finds in the runtime leads the thread itself to its state. */
static void compare_key(struct child *child)
{
	uint64_t place = child->runtime + child->binary.layout.walker.runtime_tss_key, value = 0;
	uint64_t words = peek(child, place - sizeof(uint32_t));
	char *line = NULL;
	size_t capacity = 0;

	assert_int_equal((uint32_t)words, 1); /* _is_initialized */
	fprintf(child->to, "key %u\n", (unsigned int)(words >> 32));
	fflush(child->to);
	assert_true(getline(&line, &capacity, child->from) > 0);
	assert_int_equal(sscanf(line, "value %lx", &value), 1);
	free(line);
	assert_int_equal(value, child->tstate);
}

static void refuse_other_addresses(const struct child *child)
{
	const struct python_layout *layout = &child->binary.layout;
	const struct memory *memory = &child->memory.memory;
	uint64_t good = child->codes[0].address;
	const uint64_t bad[] = {0,
				1,
				8,
				4096,
				good + 1,
				good + 4,
				child->code_type,
				child->text,
				child->runtime,
				UINT64_MAX,
				UINT64_MAX - 7,
				0x8000000000000000};
	struct python_code code = {.name = (char *)"untouched"};
	uint64_t fingerprint = 17;
	int err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = python_code__read(memory, layout, bad[i], child->code_type, &code);
		assert_true(err == -EBADMSG || err == -EFAULT);
		err = python_code__fingerprint(memory, layout, bad[i], child->code_type,
					       &fingerprint);
		assert_true(err == -EBADMSG || err == -EFAULT);
	}
	assert_string_equal(code.name, "untouched");
	assert_int_equal(fingerprint, 17);
	/* The type alone tells these from code objects. Farther away lies memory that may hold
	 * real ones. */
	for (uint64_t at = child->runtime & ~7ull; at < child->runtime + 4096; at += 8) {
		err = python_code__read(memory, layout, at, 0, &code);
		if (!err)
			python_code__clear(&code);
		assert_true(!err || err == -EBADMSG || err == -EFAULT || err == -ESRCH);
		err = python_code__read(memory, layout, at, child->code_type, &code);
		if (err != -EBADMSG && err != -EFAULT)
			fail_msg("%#lx beyond the runtime: %d",
				 (unsigned long)(at - child->runtime), err);
	}
}

/* The memory of a process in which an object's count of references is another one, after some reads
 * of it. */
struct dying_memory {
	struct memory memory; /* first: a struct memory * is this object */
	const struct memory *process;
	uint64_t object, references;
	unsigned int alive;
};

static int read_dying(const struct memory *memory, uint64_t address, void *destination, size_t size)
{
	struct dying_memory *dying = (struct dying_memory *)memory;
	int err = memory__read(dying->process, address, destination, size);

	if (!err && address == dying->object && size > sizeof(dying->references)) {
		if (!dying->alive)
			memcpy(destination, &dying->references, sizeof(dying->references));
		else
			dying->alive--;
	}
	return err;
}

/* A freed object still has its names' addresses: what is there now is somebody else's. */
static void refuse_the_dead(const struct child *child)
{
	static const uint64_t dead[] = {0, 0x7f1234567890, 0x555555d1e2f0};
	struct dying_memory dying = {
		.memory = {read_dying},
		.process = &child->memory.memory,
		.object = child->codes[0].address,
	};
	struct python_code code = {.name = (char *)"untouched"};

	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
		dying.references = dead[i];
		for (unsigned int alive = 0; alive < 2; alive++) {
			dying.alive = alive;
			assert_int_equal(python_code__read(&dying.memory, &child->binary.layout,
							   dying.object, child->code_type, &code),
					 -ESRCH);
		}
	}
	assert_string_equal(code.name, "untouched");
	/* Immortal, also with the flags of 3.14. */
	dying.alive = 0;
	dying.references = 0x00040000c0000000;
	assert_int_equal(python_code__read(&dying.memory, &child->binary.layout, dying.object,
					   child->code_type, &code),
			 0);
	python_code__clear(&code);
}

/* 3.13+: the process publishes what the file says; damage to it is noticed. */
static void compare_debug_offsets(const struct child *child)
{
	uint8_t bytes[PYTHON_DEBUG_OFFSETS_SIZE], damaged[PYTHON_DEBUG_OFFSETS_SIZE];
	struct python_layout layout;
	uint16_t version = 0;
	size_t used = 0;

	assert_null(python_layout__of(child->binary.version));
	assert_int_equal(memory__read(&child->memory.memory, child->runtime, bytes, sizeof(bytes)),
			 0);
	assert_int_equal(python_layout__from_debug_offsets(bytes, sizeof(bytes), &version, &layout),
			 0);
	assert_int_equal(version, child->binary.version);
	assert_memory_equal(&layout, &child->binary.layout, sizeof(layout));
	for (size_t size = 0; size < 512; size++) {
		struct python_layout none;

		assert_true(python_layout__from_debug_offsets(bytes, size, &version, &none) < 0);
	}
	for (size_t at = 0; at + 8 <= sizeof(bytes); at += 8) {
		int err;

		memcpy(damaged, bytes, sizeof(bytes));
		memset(damaged + at, 0xff, 8);
		err = python_layout__from_debug_offsets(damaged, sizeof(damaged), &version,
							&layout);
		/* Fields that are not read may say anything. */
		if (!err)
			assert_memory_equal(&layout, &child->binary.layout, sizeof(layout));
		else
			used++;
		if (at == 0)
			assert_int_equal(err, -ENOENT);
		if (at == 8 || at == 16) /* version, free_threaded */
			assert_int_equal(err, -EOPNOTSUPP);
	}
	assert_int_equal(used, 31);
	memcpy(damaged, bytes, sizeof(bytes));
	damaged[40] += 8; /* runtime_state.interpreters_head: the key cannot be where it was */
	assert_int_equal(
		python_layout__from_debug_offsets(damaged, sizeof(damaged), &version, &layout),
		-EOPNOTSUPP);
	memcpy(damaged, bytes, sizeof(bytes));
	damaged[8] = 0xa1; /* an alpha */
	assert_int_equal(
		python_layout__from_debug_offsets(damaged, sizeof(damaged), &version, &layout),
		-EOPNOTSUPP);
	assert_int_equal(version, child->binary.version);
}

/* A copy of the runtime's file whose section headers of one type are taken away. */
static int copy_without(const char *path, uint32_t type, off_t size)
{
	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC);
	int to = memfd_create("copy", MFD_CLOEXEC);
	Elf64_Ehdr header;
	Elf64_Shdr section;
	struct stat status;
	off_t offset = 0;

	assert_true(from >= 0 && to >= 0);
	assert_int_equal(fstat(from, &status), 0);
	while (offset < status.st_size)
		assert_true(sendfile(to, from, &offset, (size_t)(status.st_size - offset)) > 0);
	assert_int_equal(pread(to, &header, sizeof(header), 0), sizeof(header));
	for (int i = 0; type && i < header.e_shnum; i++) {
		off_t at = (off_t)(header.e_shoff + (unsigned)i * sizeof(section));

		assert_int_equal(pread(to, &section, sizeof(section), at), sizeof(section));
		if (section.sh_type != type)
			continue;
		section.sh_type = SHT_NOTE;
		assert_int_equal(pwrite(to, &section, sizeof(section), at), sizeof(section));
	}
	if (size)
		assert_int_equal(ftruncate(to, size), 0);
	return to;
}

static void probe_damaged_files(const struct child *child, int minor)
{
	static const off_t sizes[] = {1, 16, 63, 64, 1000, 5000, 100000, 1000000, 6000000};
	_cleanup_close_ int no_hash = copy_without(child->path, SHT_GNU_HASH, 0);
	_cleanup_close_ int no_dynsym = copy_without(child->path, SHT_DYNSYM, 0);
	struct python_binary binary = {0};
	bool section = minor >= 10;
	struct stat status;
	int err;

	assert_int_equal(fstat(no_hash, &status), 0);
	assert_int_equal(python_binary__probe(no_hash, &binary), 0);
	assert_memory_equal(&binary.layout, &child->binary.layout, sizeof(binary.layout));
	assert_int_equal(binary.runtime, child->binary.runtime);
	assert_int_equal(binary.code_type, child->binary.code_type);

	memset(&binary, 0, sizeof(binary));
	err = python_binary__probe(no_dynsym, &binary);
	assert_true(section || strstr(child->path, ".so") ? err == (section ? 0 : -ENOENT)
							  : err == 0 || err == -ENOENT);
	if (!err) {
		assert_int_equal(binary.version, child->binary.version);
		assert_int_equal(binary.runtime, child->binary.runtime);
		assert_memory_equal(&binary.layout, &child->binary.layout, sizeof(binary.layout));
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		_cleanup_close_ int cut = -1;

		if (sizes[i] >= status.st_size)
			continue;
		cut = copy_without(child->path, 0, sizes[i]);
		err = python_binary__probe(cut, &binary);
		assert_true(err == -EBADMSG || err == -ENOENT);
	}
}

static void read_from_outside(void **state)
{
	int minor = *(int *)*state, i = next_interpreter(minor, -1);

	if (i < 0) {
		print_message("SKIP: no CPython 3.%d here\n", minor);
		skip();
	}
	for (; i >= 0; i = next_interpreter(minor, i)) {
		struct python_code code;
		struct child child;

		print_message("%s\n", interpreters[i].identity);
		start_child(&child, interpreters[i].command);
		find_runtime(&child, minor);
		compare_codes(&child);
		if (child.tstate) {
			compare_frames(&child);
			compare_key(&child);
		} else {
			print_message("  SKIP frames and key: it has no ctypes\n");
		}
		refuse_the_dead(&child);
		refuse_other_addresses(&child);
		if (minor >= 13)
			compare_debug_offsets(&child);
		probe_damaged_files(&child, minor);
		stop_child(&child);
		assert_int_equal(python_code__read(&child.memory.memory, &child.binary.layout,
						   child.codes[0].address, 0, &code),
				 -ESRCH);
	}
}

static void other_files_are_no_python(void **state)
{
	_cleanup_close_ int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int empty = memfd_create("empty", MFD_CLOEXEC);
	_cleanup_close_ int text = memfd_create("text", MFD_CLOEXEC);
	struct python_binary binary = {.version = 17};

	(void)state;
	assert_int_equal(write(text, "#!/usr/bin/python3\n", 19), 19);
	assert_int_equal(python_binary__probe(self, &binary), -ENOENT);
	assert_int_equal(python_binary__probe(empty, &binary), -ENOENT);
	assert_int_equal(python_binary__probe(text, &binary), -ENOENT);
	assert_int_equal(python_binary__probe(-1, &binary), -EBADF);
	assert_int_equal(binary.version, 17);
}

static void versions(void **state)
{
	(void)state;
	assert_int_equal(python_layout__version_of_hex(0x030b07f0), 0x030b);
	assert_int_equal(python_layout__version_of_hex(0x030d00c2), 0x030d);
	assert_int_equal(python_layout__version_of_hex(0x030e00b4), 0);
	assert_int_equal(python_layout__version_of_hex(0x020712f0), 0);
	assert_int_equal(python_layout__version_of_hex(0x1030b07f0), 0);
	assert_int_equal(python_layout__version_of_hex(0), 0);
	assert_null(python_layout__of(0));
	assert_null(python_layout__of(0x0307));
	assert_null(python_layout__of(0x030d));
	assert_null(python_layout__of(0x0208));
	for (uint16_t version = 0x0308; version <= 0x030c; version++) {
		const struct python_layout *layout = python_layout__of(version);

		assert_non_null(layout);
		assert_int_equal(layout->walker.version, version);
		assert_true(layout->walker.frame_size <= 128);
	}
}

int main(void)
{
	static int minors[] = {8, 9, 10, 11, 12, 13, 14};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test(other_files_are_no_python),
		cmocka_unit_test_prestate(read_from_outside, &minors[0]),
		cmocka_unit_test_prestate(read_from_outside, &minors[1]),
		cmocka_unit_test_prestate(read_from_outside, &minors[2]),
		cmocka_unit_test_prestate(read_from_outside, &minors[3]),
		cmocka_unit_test_prestate(read_from_outside, &minors[4]),
		cmocka_unit_test_prestate(read_from_outside, &minors[5]),
		cmocka_unit_test_prestate(read_from_outside, &minors[6]),
	};

	signal(SIGPIPE, SIG_IGN);
	find_interpreters();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
