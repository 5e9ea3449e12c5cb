// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/quantum_key.h"
#include "model/remote_key.h"
#include "model/time_key.h"

static const char not_sampled[] = "(not sampled)";
static const char unknown[] = "(unknown)";
static const char no_line[] = "(no line)";
static const char interrupt[] = "(interrupt)";

bool pattern__matches(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static const char *special_text(uint64_t value, const char *unknown_text)
{
	if (value == VALUE_NOT_SAMPLED)
		return not_sampled;
	if (value == VALUE_INTERRUPT)
		return interrupt;
	return value == VALUE_UNKNOWN ? unknown_text : NULL;
}

static int copy_label(const char *text, char **ret_label)
{
	char *label = strdup(text);

	if (!label)
		return -ENOMEM;
	*ret_label = label;
	return 0;
}

static int compare_numbers(int64_t one, int64_t other)
{
	return one < other ? -1 : one > other;
}

static int compare_values(const struct tables *tables, uint64_t one, uint64_t other)
{
	(void)tables;
	return one < other ? -1 : one > other;
}

/* --- Interned texts: task, job, module. */

static const char *text_of(uint64_t value)
{
	const char *special = special_text(value, unknown);

	return special ? special : (const char *)(uintptr_t)value;
}

static bool text_matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	const char *text = text_of(value);

	(void)tables;
	return text && pattern__matches(pattern, text);
}

static int text_compare(const struct tables *tables, uint64_t one, uint64_t other)
{
	const char *a = text_of(one), *b = text_of(other);

	(void)tables;
	return strcmp(a ? a : "", b ? b : "");
}

static int text_label(const struct tables *tables, uint64_t value, char **ret_label)
{
	const char *text = text_of(value);

	(void)tables;
	return copy_label(text ? text : "-", ret_label);
}

static uint64_t task_value(const struct tables *tables, uint32_t epoch)
{
	return (uintptr_t)tables->epochs[epoch].task;
}

static uint64_t job_value(const struct tables *tables, uint32_t epoch)
{
	return (uintptr_t)tables->epochs[epoch].job;
}

static uint64_t module_value(const struct tables *tables, uint32_t node)
{
	return (uintptr_t)tables->functions[tables->nodes[node].function].module;
}

static bool module_matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	return text_matches(tables, value, pattern) ||
	       pattern__matches(pattern, path__base(text_of(value)));
}

/* --- Processes and threads. */

static uint64_t process_value(const struct tables *tables, uint32_t epoch)
{
	return tables->epochs[epoch].process;
}

static bool number_matches(int64_t number, const char *pattern)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return pattern__matches(pattern, text);
}

static const char *comm_of(const struct tables *tables, const struct table_process *process)
{
	uint32_t image = tables->epochs[process->epoch].image;

	return image == NO_INDEX ? NULL : tables->images[image].comm;
}

static bool process_matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	const struct table_process *process = &tables->processes[value];
	const char *comm = comm_of(tables, process);

	return number_matches(process->pid, pattern) || (comm && pattern__matches(pattern, comm));
}

static int process_compare(const struct tables *tables, uint64_t one, uint64_t other)
{
	int order = compare_numbers(tables->processes[one].pid, tables->processes[other].pid);

	return order ? order : compare_values(tables, one, other);
}

static void optional_integer(struct field_list *list, const char *name, int64_t value)
{
	if (value == NO_VALUE)
		field_list__null(list, name);
	else
		field_list__integer(list, name, value);
}

static void process_describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	const struct table_process *process = &tables->processes[value];
	const struct table_epoch *epoch = &tables->epochs[process->epoch];
	char *command = NULL;
	int error;

	field_list__integer(list, "process", process->pid);
	field_list__integer(list, "pid", process->pid);
	field_list__integer(list, "process_index", (int64_t)value);
	error = tables__command(tables, epoch->image, &command);
	if (error && !list->error)
		list->error = error;
	field_list__own(list, "command", command);
	field_list__text(list, "task", epoch->task);
	field_list__integer(list, "other_tasks", process->other_tasks);
	field_list__real(list, "start_s", (double)process->start_ns / 1e9);
	if (process->end_ns == NO_VALUE)
		field_list__null(list, "end_s");
	else
		field_list__real(list, "end_s", (double)process->end_ns / 1e9);
	optional_integer(list, "exit_code", process->exit_code);
	optional_integer(list, "exit_signal", process->exit_signal);
	field_list__text(list, "python", process->python);
}

static int process_label(const struct tables *tables, uint64_t value, char **ret_label)
{
	char *label;

	if (asprintf(&label, "%lld", (long long)tables->processes[value].pid) < 0)
		return -ENOMEM;
	*ret_label = label;
	return 0;
}

static uint64_t thread_value(const struct tables *tables, uint32_t thread)
{
	(void)tables;
	return thread;
}

static bool thread_matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	if (value == VALUE_UNKNOWN)
		return pattern__matches(pattern, unknown);
	return number_matches(tables->threads[value].tid, pattern) ||
	       pattern__matches(pattern, tables->threads[value].name);
}

static int thread_compare(const struct tables *tables, uint64_t one, uint64_t other)
{
	int order;

	if (one == VALUE_UNKNOWN || other == VALUE_UNKNOWN)
		return compare_values(tables, one, other);
	order = compare_numbers(tables->threads[one].tid, tables->threads[other].tid);
	return order ? order : compare_values(tables, one, other);
}

static void thread_describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	const struct table_thread *thread;

	if (value == VALUE_UNKNOWN) {
		field_list__null(list, "thread");
		field_list__null(list, "thread_index");
		field_list__text(list, "thread_name", unknown);
		field_list__null(list, "pid");
		return;
	}
	thread = &tables->threads[value];
	field_list__integer(list, "thread", thread->tid);
	field_list__integer(list, "thread_index", (int64_t)value);
	field_list__text(list, "thread_name", thread->name);
	field_list__integer(list, "pid", tables->processes[thread->process].pid);
}

static int thread_label(const struct tables *tables, uint64_t value, char **ret_label)
{
	const struct table_thread *thread;
	char *label;

	if (value == VALUE_UNKNOWN)
		return copy_label(unknown, ret_label);
	thread = &tables->threads[value];
	if (asprintf(&label, "%lld %s (pid %lld)", (long long)thread->tid, thread->name,
		     (long long)tables->processes[thread->process].pid) < 0)
		return -ENOMEM;
	*ret_label = label;
	return 0;
}

/* --- Functions. */

static uint64_t function_value(const struct tables *tables, uint32_t node)
{
	return tables->nodes[node].function;
}

static const char *function_name(const struct tables *tables, uint64_t value)
{
	const char *special = special_text(value, unknown);

	return special ? special : tables->functions[value].name;
}

static bool function_matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	char *short_name;
	bool matches = pattern__matches(pattern, function_name(tables, value));

	/* What a report shows can be asked for. */
	if (matches || special_text(value, unknown))
		return matches;
	short_name = table_function__short_name(&tables->functions[value]);
	matches = short_name && pattern__matches(pattern, short_name);
	free(short_name);
	return matches;
}

static int function_compare(const struct tables *tables, uint64_t one, uint64_t other)
{
	int order = strcmp(function_name(tables, one), function_name(tables, other));
	const struct table_function *a, *b;

	if (order || one == other || special_text(one, unknown) || special_text(other, unknown))
		return order ? order : compare_values(tables, one, other);
	a = &tables->functions[one];
	b = &tables->functions[other];
	order = strcmp(a->file ? a->file : a->module, b->file ? b->file : b->module);
	if (!order)
		order = compare_numbers(a->line, b->line);
	return order ? order : compare_values(tables, one, other);
}

static void function_describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	static const char *const kinds[] = {
		[FUNCTION_PYTHON] = "python",		[FUNCTION_NATIVE] = "native",
		[FUNCTION_INTERPRETER] = "interpreter", [FUNCTION_KERNEL] = "kernel",
		[FUNCTION_SUBTASK] = "subtask",
	};
	const char *special = special_text(value, unknown);
	const struct table_function *function;

	field_list__text(list, "function", function_name(tables, value));
	if (special) {
		field_list__null(list, "kind");
		field_list__null(list, "file");
		field_list__null(list, "function_line");
		return;
	}
	function = &tables->functions[value];
	field_list__text(list, "kind", kinds[function->kind]);
	field_list__text(list, "file", function->file);
	optional_integer(list, "function_line", function->line);
}

static int function_label(const struct tables *tables, uint64_t value, char **ret_label)
{
	if (special_text(value, unknown))
		return copy_label(function_name(tables, value), ret_label);
	*ret_label = table_function__short_name(&tables->functions[value]);
	return *ret_label ? 0 : -ENOMEM;
}

/* --- Sub-tasks. */

static uint64_t subtask_value(const struct tables *tables, uint32_t node)
{
	const struct table_function *function = &tables->functions[tables->nodes[node].function];

	return function->kind == FUNCTION_SUBTASK ? (uintptr_t)function->name : VALUE_UNKNOWN;
}

/* --- Lines. */

static uint64_t line_value(const struct tables *tables, uint32_t node)
{
	uint32_t line = tables->nodes[node].line;

	return line == NO_INDEX ? VALUE_UNKNOWN : line;
}

static int line_text(const struct tables *tables, uint64_t value, bool whole_path, char **ret_text)
{
	const char *special = special_text(value, no_line), *file;
	const uint64_t *line;
	char *text;

	if (special)
		return copy_label(special, ret_text);
	line = tuple_set__at(tables->lines, (uint32_t)value);
	file = (const char *)(uintptr_t)line[0];
	if (asprintf(&text, "%s:%llu", whole_path ? file : path__base(file),
		     (unsigned long long)line[1]) < 0)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

static int line_label(const struct tables *tables, uint64_t value, char **ret_label)
{
	return line_text(tables, value, false, ret_label);
}

static bool line_matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	bool matches = false;

	for (int whole_path = 0; whole_path < 2 && !matches; whole_path++) {
		char *text;

		if (line_text(tables, value, whole_path, &text))
			return false;
		matches = pattern__matches(pattern, text);
		free(text);
	}
	return matches;
}

static int line_compare(const struct tables *tables, uint64_t one, uint64_t other)
{
	const uint64_t *a, *b;
	int order;

	if (one == other || special_text(one, no_line) || special_text(other, no_line))
		return compare_values(tables, one, other);
	a = tuple_set__at(tables->lines, (uint32_t)one);
	b = tuple_set__at(tables->lines, (uint32_t)other);
	order = strcmp((const char *)(uintptr_t)a[0], (const char *)(uintptr_t)b[0]);
	return order ? order : compare_values(tables, a[1], b[1]);
}

static void line_describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	char *text = NULL;

	line_text(tables, value, false, &text);
	field_list__own(list, "line", text);
	if (special_text(value, no_line))
		field_list__null(list, "line_file");
	else
		field_list__text(list, "line_file",
				 text_of(tuple_set__at(tables->lines, (uint32_t)value)[0]));
}

/* --- Stacks, as they are shown. */

static uint64_t stack_value(const struct tables *tables, uint32_t node)
{
	uint32_t shown = tables->shown_of_node[node];

	return shown == NO_INDEX ? VALUE_UNKNOWN : shown;
}

static void stack_describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	const char *special = special_text(value, unknown);

	(void)tables;
	if (special)
		field_list__no_stack(list, "stack", special);
	else
		field_list__stack(list, "stack", (uint32_t)value);
}

static int stack_label(const struct tables *tables, uint64_t value, char **ret_label)
{
	const char *special = special_text(value, unknown);

	if (special)
		return copy_label(special, ret_label);
	*ret_label = tables__short_label(tables, (uint32_t)value);
	return *ret_label ? 0 : -ENOMEM;
}

/* --- Waits, operations, files. */

static uint64_t wait_value(const struct tables *tables, uint32_t class)
{
	return (uintptr_t)tables->waits_for[class];
}

static void wait_describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	field_list__text(list, "wait", text_of(value));
	for (size_t i = 0; i < tables->class_count; i++)
		if ((uintptr_t)tables->waits_for[i] == value)
			field_list__integer(list, "wait_estimated", tables->estimated_waits[i]);
}

/* Its values are those of threads, and special ones. */
static uint64_t ending_value(const struct tables *tables, uint32_t ending)
{
	return ending ? (uintptr_t)tables->endings[ending - 1].name : VALUE_NOT_SAMPLED;
}

static uint64_t waker_value(const struct tables *tables, uint32_t waker)
{
	(void)tables;
	if (waker < WAKER_THREADS)
		return waker == WAKER_INTERRUPT ? VALUE_INTERRUPT : VALUE_NOT_SAMPLED;
	return waker - WAKER_THREADS;
}

static bool waker_matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	const char *special = special_text(value, unknown);

	return special ? pattern__matches(pattern, special)
		       : thread_matches(tables, value, pattern);
}

static int waker_compare(const struct tables *tables, uint64_t one, uint64_t other)
{
	if (special_text(one, unknown) || special_text(other, unknown))
		return compare_values(tables, one, other);
	return thread_compare(tables, one, other);
}

static void waker_describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	const char *special = special_text(value, unknown);
	const struct table_process *process;
	const struct table_thread *thread;

	if (special) {
		field_list__null(list, "waker");
		field_list__null(list, "waker_index");
		field_list__text(list, "waker_name", special);
		field_list__null(list, "waker_pid");
		field_list__null(list, "waker_task");
		return;
	}
	thread = &tables->threads[value];
	process = &tables->processes[thread->process];
	field_list__integer(list, "waker", thread->tid);
	field_list__integer(list, "waker_index", (int64_t)value);
	field_list__text(list, "waker_name", thread->name);
	field_list__integer(list, "waker_pid", process->pid);
	field_list__text(list, "waker_task", tables->epochs[process->epoch].task);
}

static int waker_label(const struct tables *tables, uint64_t value, char **ret_label)
{
	const char *special = special_text(value, unknown);

	return special ? copy_label(special, ret_label) : thread_label(tables, value, ret_label);
}

static uint64_t op_value(const struct tables *tables, uint32_t op)
{
	return (uintptr_t)tables->ops[op].name;
}

static uint64_t ceph_value(const struct tables *tables, uint32_t op)
{
	return (uintptr_t)tables->ceph_ops[op].name;
}

static uint64_t text_or_none(const char *text)
{
	return *text ? (uintptr_t)text : 0;
}

static uint64_t mount_value(const struct tables *tables, uint32_t file)
{
	return text_or_none(tables->files[file].mount);
}

static uint64_t fs_value(const struct tables *tables, uint32_t file)
{
	return text_or_none(tables->files[file].filesystem);
}

static uint64_t dataset_value(const struct tables *tables, uint32_t file)
{
	return (uintptr_t)tables->files[file].dataset;
}

static uint64_t file_value(const struct tables *tables, uint32_t file)
{
	(void)tables;
	return file;
}

static const char *file_path(const struct tables *tables, uint64_t value)
{
	return value == VALUE_UNKNOWN ? unknown : tables->files[value].path;
}

static bool file_matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	const char *path = file_path(tables, value);

	return pattern__matches(pattern, path) || pattern__matches(pattern, path__base(path));
}

static int file_compare(const struct tables *tables, uint64_t one, uint64_t other)
{
	int order = strcmp(file_path(tables, one), file_path(tables, other));

	return order ? order : compare_values(tables, one, other);
}

static void file_describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	const struct table_file *file;

	if (value == VALUE_UNKNOWN) {
		field_list__null(list, "file");
		field_list__null(list, "file_kind");
		field_list__null(list, "fs");
		field_list__null(list, "mount");
		return;
	}
	file = &tables->files[value];
	field_list__text(list, "file", file->path);
	field_list__text(list, "file_kind", file->kind);
	field_list__text(list, "fs", *file->filesystem ? file->filesystem : NULL);
	field_list__text(list, "mount", *file->mount ? file->mount : NULL);
}

static int file_label(const struct tables *tables, uint64_t value, char **ret_label)
{
	return copy_label(file_path(tables, value), ret_label);
}

static const struct key keys[] = {
	{"task", "task", "task label, or the command's name where no rule gave one", SCOPE_EPOCH,
	 .value = task_value, .matches = text_matches, .compare = text_compare,
	 .label = text_label},
	{"process", "pid", "process; --where takes its pid or its name", SCOPE_EPOCH,
	 .value = process_value, .matches = process_matches, .compare = process_compare,
	 .describe = process_describe, .label = process_label},
	{"thread", "thread", "thread; --where takes its tid or its name", SCOPE_THREAD,
	 .value = thread_value, .matches = thread_matches, .compare = thread_compare,
	 .describe = thread_describe, .label = thread_label},
	{"job", "job", "the batch system's job", SCOPE_EPOCH, .value = job_value,
	 .matches = text_matches, .compare = text_compare, .label = text_label},
	{"quantum", "quantum",
	 "piece of work of a process; --where takes its id, or FIELD=VALUE of its data",
	 SCOPE_EPOCH, .value = quantum_key__value, .matches = quantum_key__matches,
	 .compare = quantum_key__compare, .describe = quantum_key__describe,
	 .label = quantum_key__label},
	{"time", "time", "time slice; --where takes seconds (12.5) or a range of them (10-20)",
	 SCOPE_SLICE, .value = time_key__value, .matches = time_key__matches,
	 .refusal = time_key__refusal, .compare = time_key__compare, .describe = time_key__describe,
	 .label = time_key__label},
	{"function", "function", "function: Python, native or kernel", SCOPE_NODE,
	 .choice = FRAME_OWNER, .totals = true, .value = function_value,
	 .matches = function_matches, .compare = function_compare, .describe = function_describe,
	 .label = function_label},
	{"subtask", "sub-task", "task or sub-task, by its full name", SCOPE_NODE,
	 .choice = FRAME_SUBTASK, .totals = true, .value = subtask_value, .matches = text_matches,
	 .compare = text_compare, .unknown_is_null = true, .label = text_label},
	{"line", "line", "source line, file.py:12", SCOPE_NODE, .choice = FRAME_LINED,
	 .totals = true, .value = line_value, .matches = line_matches, .compare = line_compare,
	 .describe = line_describe, .label = line_label},
	{"module", "module", "source file, library, program or kernel module", SCOPE_NODE,
	 .choice = FRAME_OWNER, .totals = true, .value = module_value, .matches = module_matches,
	 .compare = text_compare, .label = text_label},
	{"stack", "innermost frame", "the whole stack", SCOPE_NODE, .choice = FRAME_SAMPLED,
	 .value = stack_value, .compare = compare_values, .describe = stack_describe,
	 .label = stack_label},
	{"outermost", "outermost frame in",
	 "program, library or kernel of a stack's outermost frame", SCOPE_NODE,
	 .choice = FRAME_OUTERMOST, .value = module_value, .compare = text_compare,
	 .label = text_label},
	{"ending", "how stacks ended", "how stacks ended: complete, or why not", SCOPE_ENDING,
	 .value = ending_value, .matches = text_matches, .compare = text_compare,
	 .label = text_label},
	{"wait", "waited for", "class of waits", SCOPE_WAIT, .value = wait_value,
	 .matches = text_matches, .compare = text_compare, .describe = wait_describe,
	 .label = text_label},
	{"waker", "woken by", "thread that ended the wait; --where takes its tid or its name",
	 SCOPE_WAKER, .value = waker_value, .matches = waker_matches, .compare = waker_compare,
	 .describe = waker_describe, .label = waker_label},
	{"op", "operation", "operation on files: read, open, stat ...", SCOPE_OP, .value = op_value,
	 .matches = text_matches, .compare = text_compare, .label = text_label},
	{"file", "file", "file, pipe or socket", SCOPE_FILE, .value = file_value,
	 .matches = file_matches, .compare = file_compare, .describe = file_describe,
	 .label = file_label},
	{"mount", "mount", "mount point", SCOPE_FILE, .value = mount_value, .matches = text_matches,
	 .compare = text_compare, .unknown_is_null = true, .label = text_label},
	{"ceph", "CephFS", "what CephFS's client did: mds:open, osd:read ...", SCOPE_CEPH,
	 .value = ceph_value, .matches = text_matches, .compare = text_compare,
	 .label = text_label},
	{"dataset", "dataset", "kind of data that a file holds, by rules of the kind path",
	 SCOPE_FILE, .value = dataset_value, .matches = text_matches, .compare = text_compare,
	 .unknown_is_null = true, .label = text_label},
	{"fs", "file system", "type of file system: ext4, ceph ...", SCOPE_FILE, .value = fs_value,
	 .matches = text_matches, .compare = text_compare, .unknown_is_null = true,
	 .label = text_label},
	{"remote", "remote",
	 "other end of a socket; --where takes its protocol and address, the address alone, or "
	 "its service",
	 SCOPE_FILE, .value = file_value, .counts = remote_key__counts,
	 .matches = remote_key__matches, .compare = file_compare, .describe = remote_key__describe,
	 .label = file_label},
	{"service", "service", "what rules call the other end of a socket", SCOPE_FILE,
	 .value = service_key__value, .counts = remote_key__counts, .matches = text_matches,
	 .compare = text_compare, .unknown_is_null = true, .label = text_label},
};

const struct key *key__find(const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

void key__describe(const struct key *key, struct tables *tables, uint64_t value,
		   struct field_list *list)
{
	const char *text;

	if (key->describe) {
		key->describe(tables, value, list);
		return;
	}
	text = value == VALUE_UNKNOWN && key->unknown_is_null ? NULL : text_of(value);
	field_list__text(list, key->name, text);
}

const struct key *key__at(size_t position)
{
	return position < sizeof(keys) / sizeof(keys[0]) ? &keys[position] : NULL;
}
