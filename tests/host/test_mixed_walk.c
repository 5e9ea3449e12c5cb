// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture symbols python unwind proc base
/* Native and Python frames of whole processes in one order: of live interpreters, and of the
 * processes saved in saved/. `test_mixed_walk --save` saves them anew, of all interpreters that are
 * here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "capture/interleave.h"
#include "counters.h"
#include "host/native_live.h"
#include "python/code.h"

#define SAVED_LIMIT 102400 /* bytes of a file in saved/ */

struct mixed_walk {
	uint64_t words[PS_MAX_NATIVE];
	size_t word_count;
	struct ps_frame python[PS_MAX_PYTHON];
	size_t python_count;
	struct mixed_frame frames[PS_MAX_NATIVE + PS_MAX_PYTHON];
	size_t count;
	uint32_t native_ending, python_ending;
	bool mismatch;
};

static void walk_mixed(struct mixed_walk *walk, const struct memory *memory,
		       const struct python_process *process, size_t thread)
{
	const struct native_thread *registers = &native.threads[thread];
	const struct ps_py_offsets layout = python_layout__for_walker(&process->layout);
	const struct remote_place place = {registers->rip, registers->rsp, registers->rbp, false,
					   false};
	struct walked_stack stack;

	memset(walk, 0, sizeof(*walk));
	walk->python_ending =
		remote_walk__python(memory, process->threads[thread].tcb, &layout, process->runtime,
				    walk->python, &walk->python_count);
	walk->native_ending = remote_walk__native(memory, &native.rows, &place, walk->words,
						  PS_MAX_NATIVE, &walk->word_count);
	stack = (struct walked_stack){
		.native = walk->words,
		.native_count = walk->word_count,
		.python = walk->python,
		.python_count = walk->python_count,
		.native_whole = walk->native_ending == PS_END_NATIVE,
		.python_whole = walk->python_ending == PS_END_PYTHON,
	};
	walk->count = interleave(&stack, walk->frames, &walk->mismatch);
}

/* --- what the process says of itself */

/* The thread's own unwinder was called from the frame that sleeps now: from that one's caller on it
 * has found the same. */
static void compare_returns(const struct mixed_walk *walk, const struct native_thread *thread)
{
	size_t loop = 0, callers;

	while (loop < walk->word_count && !(walk->words[loop] & PS_NATIVE_EVAL))
		loop++;
	assert_true(loop > 0 && loop < walk->word_count);
	callers = walk->word_count - loop - 1;
	assert_true(callers > 10);
	assert_true(thread->return_count > callers);
	for (size_t i = 1; i <= callers; i++)
		assert_int_equal(PS_NATIVE_ADDRESS(walk->words[walk->word_count - i]),
				 thread->returns[thread->return_count - i]);
}

static void native_name(const struct mixed_walk *walk, uint32_t index, char *ret_name)
{
	/* A return address may be behind its function. */
	uint64_t address = PS_NATIVE_ADDRESS(walk->words[index]) - (index > 0);
	const char *saved = native_part__name(address);

	if (saved)
		snprintf(ret_name, 64, "%s", saved);
	else
		native_live__name(address, ret_name);
}

static void python_name(const struct mixed_walk *walk, uint32_t index, const struct memory *memory,
			const struct python_process *process, struct told_frame *ret_frame)
{
	struct python_code code;
	const char *name;

	assert_int_equal(python_code__read(memory, &process->layout, walk->python[index].address,
					   process->code_type, &code),
			 0);
	/* The names are qualified since 3.11, those of tracebacks are not. */
	name = strrchr(code.name, '.');
	snprintf(ret_frame->name, sizeof(ret_frame->name), "%s", name ? name + 1 : code.name);
	snprintf(ret_frame->file, sizeof(ret_frame->file), "%s", code.file);
	ret_frame->line = python_code__line(&code, walk->python[index].position);
	python_code__clear(&code);
}

struct passage {
	const char *inner, *outer; /* Python functions: one called … */
	const char *native; /* … by way of this one … */
	bool hidden; /* … that a stripped file does not name */
};

/* Between two Python functions lies the C function through which one has called the other. */
static void compare_order(const struct mixed_walk *walk, const struct memory *memory,
			  const struct python_process *process, const struct told_thread *told)
{
	static const struct passage passages[] = {
		{"pour", "fall", "builtin_sum", true},
		{"compare", "sort_in_c", "qsort", false},
		{"<lambda>", "in_other_thread", "builtin_sorted", true},
	};
	struct told_frame frame = {.name = ""}, inner;
	size_t frames = 0, between = 0, seen = 0;
	char names[4096] = "", name[64];

	for (size_t i = 0; i < walk->count; i++) {
		if (!walk->frames[i].python) {
			size_t used = strlen(names);

			native_name(walk, walk->frames[i].index, name);
			snprintf(names + used, sizeof(names) - used, " %s", name);
			between++;
			continue;
		}
		inner = frame;
		python_name(walk, walk->frames[i].index, memory, process, &frame);
		assert_true(frames < told->frame_count);
		assert_string_equal(frame.name, told->frames[frames].name);
		assert_string_equal(frame.file, told->frames[frames].file);
		assert_int_equal(frame.line, told->frames[frames].line);
		frames++;
		for (size_t j = 0; j < sizeof(passages) / sizeof(passages[0]); j++) {
			const struct passage *passage = &passages[j];

			if (strcmp(frame.name, passage->outer) ||
			    strcmp(inner.name, passage->inner))
				continue;
			assert_true(between > 0);
			if (!passage->hidden && !strstr(names, passage->native))
				print_error("no %s among%s\n", passage->native, names);
			assert_true(passage->hidden || strstr(names, passage->native));
			/* No other native functions of the stack are called so. */
			if (strstr(names, passage->native))
				seen++;
		}
		between = 0;
		names[0] = '\0';
	}
	assert_int_equal(frames, told->frame_count);
	assert_string_equal(told->frames[0].name, "asleep");
	assert_true(seen > 0);
	/* main() or the thread's start. */
	assert_true(between > 0);
}

static void compare_walk(const struct mixed_walk *walk, const struct memory *memory,
			 const struct python_process *process, size_t thread)
{
	size_t loops = 0, groups = 0;

	assert_int_equal(walk->native_ending, PS_END_NATIVE);
	assert_int_equal(walk->python_ending, PS_END_PYTHON);
	assert_false(walk->mismatch);
	for (size_t i = 0; i < walk->word_count; i++)
		loops += !!(walk->words[i] & PS_NATIVE_EVAL);
	for (size_t i = 0; i < walk->python_count; i++)
		groups += !!(PS_FRAME_FLAGS(&walk->python[i]) & PS_FRAME_LAST);
	/* Each loop stands for one group of frames. */
	assert_true(loops > 2);
	assert_int_equal(loops, groups);
	assert_int_equal(walk->count, walk->word_count - loops + walk->python_count);
	compare_returns(walk, &native.threads[thread]);
	compare_order(walk, memory, process, &process->threads[thread]);
}

static void compare_process(const struct python_process *process, const struct memory *memory)
{
	static struct mixed_walk walk;

	assert_int_equal(process->thread_count, 2);
	for (size_t i = 0; i < process->thread_count; i++) {
		walk_mixed(&walk, memory, process, i);
		compare_walk(&walk, memory, process, i);
	}
}

/* --- live */

/* Starts one and reads what there is to know of it; else the test is skipped. */
static void start_mixed(struct python_process *process, const struct interpreter *interpreter)
{
	char script[PATH_MAX];

	native_part__clear();
	take_more = native_part__take;
	script_path(__FILE__, "mixed.py", script, sizeof(script));
	if (!python_process__start(process, interpreter->command, script)) {
		print_message("SKIP: %s cannot run mixed.py, perhaps it has no ctypes\n",
			      interpreter->identity);
		skip();
	}
	if (!native_live__all_registers(process)) {
		python_process__end(process);
		print_message("SKIP: registers of an own child cannot be read here\n");
		skip();
	}
	assert_true(native_live__read(process));
}

static void live_interpreters(void **state)
{
	int minor = *(int *)*state, i = next_interpreter(minor, -1);

	if (i < 0) {
		print_message("SKIP: no CPython 3.%d here\n", minor);
		skip();
	}
	for (; i >= 0; i = next_interpreter(minor, i)) {
		static struct python_process process;

		print_message("%s\n", interpreters[i].identity);
		start_mixed(&process, &interpreters[i]);
		compare_process(&process, &process.live.memory);
		python_process__end(&process);
		native_live__clear();
	}
}

/* --- saved */

/* variant: interpreters of one version, from 1. */
static void saved_path(int minor, int variant, char *ret_path, size_t size)
{
	char name[32];

	if (variant > 1)
		snprintf(name, sizeof(name), "saved/mixed3.%d-%d.bin", minor, variant);
	else
		snprintf(name, sizeof(name), "saved/mixed3.%d.bin", minor);
	script_path(__FILE__, name, ret_path, size);
}

/* Each piece taken away by itself: no frame is shown but those that are there. */
static void walk_without(const struct python_process *process, size_t thread, struct piece *piece)
{
	static struct mixed_walk whole, cut;
	const struct memory *memory = &process->saved.memory;
	uint64_t size = piece->size;

	walk_mixed(&whole, memory, process, thread);
	piece->size = 0;
	walk_mixed(&cut, memory, process, thread);
	piece->size = size;
	assert_true(cut.word_count <= whole.word_count);
	assert_memory_equal(cut.words, whole.words, cut.word_count * sizeof(cut.words[0]));
	assert_int_equal(cut.native_ending == PS_END_NATIVE, cut.word_count == whole.word_count);
	assert_true(cut.native_ending == PS_END_NATIVE ||
		    cut.native_ending == PS_END_STACK_UNREADABLE);
	assert_true(cut.python_count <= whole.python_count);
	assert_true(cut.count <= whole.count + whole.python_count);
	assert_false(cut.mismatch && cut.native_ending != PS_END_NATIVE);
}

static void compare_saved(int minor, const char *path)
{
	static struct python_process process;

	native_part__clear();
	take_more = native_part__take;
	assert_true(python_process__load(&process, path));
	assert_int_equal(process.version, 0x0300 | minor);
	compare_process(&process, &process.saved.memory);
	for (size_t i = 0; i < process.saved.count; i++)
		for (size_t j = 0; j < process.thread_count; j++)
			walk_without(&process, j, &process.saved.pieces[i]);
	python_process__end(&process);
	native_part__clear();
}

static void saved_interpreters(void **state)
{
	int minor = *(int *)*state, variant = 1;
	char path[PATH_MAX];
	struct stat status;

#ifndef __x86_64__
	print_message("SKIP: saved on x86-64\n");
	skip();
#endif
	for (;; variant++) {
		saved_path(minor, variant, path, sizeof(path));
		if (stat(path, &status))
			break;
		assert_true(status.st_size <= SAVED_LIMIT);
		compare_saved(minor, path);
	}
	assert_true(variant > 1);
}

/* --- saving */

/* Saved rows: those that the walks come to, and their neighbours. */
static bool needed[PS_UNWIND_CHUNKS][PS_UNWIND_CHUNK_ROWS];

/* Marks what a frame needs, and notes its name. */
static void need(uint64_t address)
{
	for (size_t i = 0; i < native.range_count; i++) {
		const struct ps_unwind_range *range = &native.table.ranges[i];
		uint32_t row = range->first, at;

		if (address - range->start >= range->size || range->chunk == PS_UNWIND_NO_ROWS)
			continue;
		at = (uint32_t)(address - range->start) + range->delta;
		while (row < range->last &&
		       native.chunks[range->chunk]->rows[row + 1].address <= at)
			row++;
		for (uint32_t j = row > range->first + 2u ? row - 2 : range->first;
		     j <= row + 2 && j <= range->last; j++)
			needed[range->chunk][j] = true;
	}
	if (!native_part__name(address) && native.name_count < MAX_NAMES) {
		struct native_name *name = &native.names[native.name_count++];

		name->address = address;
		native_live__name(address, name->name);
	}
}

static void store_native(const struct python_process *process, FILE *file)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct native_thread *thread = &native.threads[i];

		fprintf(file, "registers %zu %llx %llx %llx\n", i, (unsigned long long)thread->rip,
			(unsigned long long)thread->rsp, (unsigned long long)thread->rbp);
		for (size_t j = 0; j < thread->return_count; j++)
			fprintf(file, "returned %zu %llx\n", i,
				(unsigned long long)thread->returns[j]);
	}
	for (size_t i = 0; i < native.range_count; i++) {
		const struct ps_unwind_range *range = &native.table.ranges[i];

		fprintf(file, "range %llx %x %x\n", (unsigned long long)range->start, range->size,
			range->delta);
		for (uint32_t j = range->first;
		     range->chunk != PS_UNWIND_NO_ROWS && j <= range->last; j++)
			if (needed[range->chunk][j])
				fprintf(file, "row %x %x\n",
					native.chunks[range->chunk]->rows[j].address,
					native.chunks[range->chunk]->rows[j].rule);
	}
	for (size_t i = 0; i < native.name_count; i++)
		fprintf(file, "name %llx %s\n", (unsigned long long)native.names[i].address,
			native.names[i].name);
}

static void save_one(const struct interpreter *interpreter, const char *path)
{
	static struct python_process process;
	static struct mixed_walk walk;
	uint8_t published[PYTHON_DEBUG_OFFSETS_SIZE];

	start_mixed(&process, interpreter);
	process.saved = saved_memory__of(&process.live.memory);
	if (!python_layout__of(process.version))
		memory__read(&process.saved.memory, process.runtime, published, sizeof(published));
	compare_process(&process, &process.saved.memory);
	memset(needed, 0, sizeof(needed));
	for (size_t i = 0; i < process.thread_count; i++) {
		walk_mixed(&walk, &process.saved.memory, &process, i);
		for (size_t j = 0; j < walk.word_count; j++)
			need(PS_NATIVE_ADDRESS(walk.words[j]) - (j > 0));
	}
	store_more = store_native;
	assert_true(python_process__store(&process, path));
	python_process__end(&process);
	native_live__clear();
}

static void save_all(void **state)
{
	char path[PATH_MAX];

	(void)state;
	for (int minor = FIRST_MINOR; minor <= LAST_MINOR; minor++) {
		int variant = 1;

		for (int i = next_interpreter(minor, -1); i >= 0; i = next_interpreter(minor, i)) {
			saved_path(minor, variant++, path, sizeof(path));
			print_message("%s of %s\n", path, interpreters[i].identity);
			save_one(&interpreters[i], path);
		}
	}
}

int main(int argc, char **argv)
{
	static int minors[] = {8, 9, 10, 11, 12, 13, 14};
	const struct CMUnitTest saving[] = {cmocka_unit_test(save_all)};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(live_interpreters, &minors[0]),
		cmocka_unit_test_prestate(live_interpreters, &minors[1]),
		cmocka_unit_test_prestate(live_interpreters, &minors[2]),
		cmocka_unit_test_prestate(live_interpreters, &minors[3]),
		cmocka_unit_test_prestate(live_interpreters, &minors[4]),
		cmocka_unit_test_prestate(live_interpreters, &minors[5]),
		cmocka_unit_test_prestate(live_interpreters, &minors[6]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[0]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[1]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[2]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[3]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[4]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[5]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[6]),
	};

	find_interpreters();
	if (argc > 1 && !strcmp(argv[1], "--save"))
		return cmocka_run_group_tests(saving, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
