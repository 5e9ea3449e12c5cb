// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strings.h"
#include "capture/binaries.h"
#include "capture/code_names.h"
#include "capture/native_names.h"
#include "capture/quanta.h"
#include "capture/unwinder.h"
#include "model/stack_tree.h"
#include "proc/facts.h"
#include "store/writer.h"
#include "symbols/kernel.h"

#define NS_PER_S 1000000000ULL
/* A process's maps are read again for an address that no mapping holds, at most this often. */
#define MAPS_INTERVAL_NS  NS_PER_S
#define VDSO		  "[vdso]"
#define KERNEL_MINOR_BITS 20
/* No interpreter begins with a program's own code sooner. */
#define PYTHON_LATE_NS 20000000ULL

/* Names of parts of quanta, as they were read last. */
#define PARTS_KNOWN 256 /* a power of 2 */

struct known_part {
	int64_t process;
	uint64_t epoch, object;
	int32_t rule;
	int64_t frame; /* row; 0: it has no name */
};

struct names {
	struct stack_tree *tree;
	struct unwinder *unwinder;
	struct quanta *quanta; /* NULL: that source is off */
	struct string_pool *pool;
	struct names_maps maps;
	uint64_t *counters;
	struct binaries *binaries;
	struct kernel_symbols *kernel; /* NULL: hidden */
	struct code_cache *codes;
	struct native_names *natives;
	struct ps_py_offsets layouts[PS_MAX_LAYOUTS];
	uint32_t layout_count;
	struct process *changed; /* whose mappings have, since names__settle() */
	struct known_part parts[PARTS_KNOWN];
};

int names__new(struct stack_tree *tree, struct string_pool *pool, struct unwinder *unwinder,
	       struct finisher *finisher, struct quanta *quanta, struct names_maps maps,
	       uint64_t *counters, struct names **ret_names)
{
	struct names *names = calloc(1, sizeof(*names));
	int err;

	if (!names)
		return -ENOMEM;
	names->tree = tree;
	names->unwinder = unwinder;
	names->quanta = quanta;
	names->pool = pool;
	names->maps = maps;
	names->counters = counters;
	names->binaries = binaries__new();
	names->codes = code_cache__new(tree);
	names->natives = native_names__new(tree, finisher);
	err = names->binaries && names->codes && names->natives
		      ? kernel_symbols__new(&names->kernel)
		      : -ENOMEM;
	if (err == -ENOMEM) {
		names__free(names);
		return err;
	}
	/* Without kernel symbols the frames are "[kernel]"; doctor says why. */
	*ret_names = names;
	return 0;
}

void names__free(struct names *names)
{
	if (!names)
		return;
	code_cache__free(names->codes);
	native_names__free(names->natives);
	binaries__free(names->binaries);
	kernel_symbols__free(names->kernel);
	free(names);
}

/* Nothing is to be done for the process at the next names__settle(). */
static void unchange(struct names *names, struct process *process)
{
	struct process **at = &names->changed;

	while (*at && *at != process)
		at = &(*at)->next_changed;
	if (*at)
		*at = process->next_changed;
	process->mappings_changed = false;
}

void names__forget(struct names *names, struct process *process, uint64_t now_ns)
{
	if (process->mappings_changed)
		unchange(names, process);
	unwinder__unmap(names->unwinder, (uint32_t)process->key.tgid, &process->space, now_ns);
	code_names__free(names->codes, process->codes);
	process->codes = NULL;
	if (names->quanta)
		quanta__forget(names->quanta, process);
}

/* --- the interpreter of a process */

/* The index under which BPF knows this layout; -E2BIG: too many different builds. */
static int layout_index(struct names *names, const struct python_layout *python)
{
	const struct ps_py_offsets walker = python_layout__for_walker(python), *layout = &walker;
	uint32_t index;
	int err;

	for (index = 0; index < names->layout_count; index++)
		if (!memcmp(&names->layouts[index], layout, sizeof(*layout)))
			return (int)index;
	if (index == PS_MAX_LAYOUTS)
		return -E2BIG;
	err = bpf_map_update_elem(names->maps.py_layouts, &index, layout, BPF_ANY);
	if (err)
		return err;
	names->layouts[index] = *layout;
	names->layout_count++;
	return (int)index;
}

static int tell_bpf(struct names *names, const struct process *process)
{
	uint32_t tgid = (uint32_t)process->key.tgid;

	int err = bpf_map_update_elem(names->maps.py_processes, &tgid, &process->python_process,
				      BPF_ANY);

	if (err) /* the map is full: the process's stacks are said to be without Python */
		names->counters[PS_COUNTER_PYTHON_FULL]++;
	return err == -ENOMEM ? err : 0;
}

/* So that BPF knows the interpreter of the next process that maps the file. Without room for one
 * more, the next ones are found as this one was. */
static void tell_file(struct names *names, const struct process *process,
		      const struct mapping *mapping, struct binary *binary)
{
	_cleanup_close_ int fd = -1;
	struct ps_python_file file = {
		.inode = mapping->file.inode,
		.device = major(mapping->file.device) << KERNEL_MINOR_BITS |
			  minor(mapping->file.device),
	};
	struct ps_known_python python = {
		.runtime = process->python_process.runtime - mapping->start,
		.offset = mapping->offset,
		.offsets = process->python_process.offsets,
	};
	uint64_t start_code;
	struct stat status;

	if (binary->python_told || facts__start_code((pid_t)process->key.tgid, &start_code))
		return;
	fd = binary__open((pid_t)process->key.tgid, mapping);
	if (fd < 0 || fstat(fd, &status))
		return;
	file.size = (uint64_t)status.st_size;
	python.is_program = (start_code & ~(uint64_t)(sysconf(_SC_PAGESIZE) - 1)) == mapping->start;
	binary->python_told = true;
	bpf_map_update_elem(names->maps.known_pythons, &file, &python, BPF_ANY);
}

/* What a process did before anybody knew its interpreter, is not known. */
static void note_late(struct names *names, const struct process *process,
		      const struct mapping *mapping)
{
	uint32_t tgid = (uint32_t)process->key.tgid;
	struct ps_py_process known;

	if (!names->quanta || !mapping->since_ns ||
	    clock__ns(CLOCK_MONOTONIC) - mapping->since_ns < PYTHON_LATE_NS ||
	    !bpf_map_lookup_elem(names->maps.py_processes, &tgid, &known))
		return;
	names->counters[PS_COUNTER_PYTHON_LATE]++;
}

static int found_python(struct names *names, struct process *process, const struct mapping *mapping,
			struct binary *binary)
{
	char version[16];
	uint64_t address;
	/* An index that no layout has makes the walker say "unsupported". */
	int index =
		binary->python_known ? layout_index(names, &binary->python.layout) : -EOPNOTSUPP;

	if (binary__address(binary, mapping, mapping->start, &address))
		return 0;
	snprintf(version, sizeof(version), "%d.%d", binary->python.version >> 8,
		 binary->python.version & 0xff);
	process->python = string_pool__intern(names->pool, version);
	if (!process->python)
		return -ENOMEM;
	process->python_binary = binary;
	process->python_process = (struct ps_py_process){
		.runtime = binary->python.runtime + (mapping->start - address),
		.offsets = index < 0 ? PS_MAX_LAYOUTS : (uint32_t)index,
	};
	process->dirty = true;
	if (index >= 0)
		tell_file(names, process, mapping, binary);
	note_late(names, process, mapping);
	if (names->quanta && quanta__new_space(names->quanta, process))
		return -ENOMEM;
	return tell_bpf(names, process);
}

/* --- mappings */

static void change(struct names *names, struct process *process)
{
	if (process->mappings_changed)
		return;
	process->mappings_changed = true;
	process->next_changed = names->changed;
	names->changed = process;
}

/* Has the file's rows compiled if nobody has. */
static int compile(struct names *names, const struct process *process,
		   const struct mapping *mapping, struct binary *binary)
{
	_cleanup_close_ int fd = -1;

	if (!binary->unwind)
		binary->unwind = unwinder__add_file(names->unwinder);
	if (!binary->unwind)
		return -ENOMEM;
	if (!unwind_file__wants(binary->unwind))
		return 0;
	fd = binary__open((pid_t)process->key.tgid, mapping);
	if (fd < 0)
		return 0; /* the next process that maps it may be luckier */
	return unwinder__compile(names->unwinder, binary->unwind, fd, binary->is_python);
}

static int take_mapping(struct names *names, struct process *process, const struct mapping *mapping)
{
	struct binary *binary;
	int err;

	change(names, process);
	err = binaries__get(names->binaries, (pid_t)process->key.tgid, mapping, &binary);
	if (err)
		return err == -ENOMEM ? err : 0; /* gone, or not a file: it stays without names */
	/* First what cannot wait. */
	if (binary->is_python && process->python_binary != binary)
		err = found_python(names, process, mapping, binary);
	return err ?: compile(names, process, mapping, binary);
}

int names__read_mappings(struct names *names, struct process *process, uint64_t now_ns)
{
	struct mapping_set *set;
	int err;

	process->mappings_read_ns = now_ns;
	err = mapping_set__read((pid_t)process->key.tgid, names->pool, &set);
	if (err)
		return err == -ENOMEM ? err : 0;
	mapping_set__unref(process->mappings);
	process->mappings = set;
	for (size_t i = 0; i < mapping_set__count(set) && !err; i++)
		err = take_mapping(names, process, mapping_set__at(set, i));
	return err;
}

int names__on_mmap(struct names *names, struct process *process, const struct mmap_event *event)
{
	int err;

	if (event->time_ns < process->mappings_since_ns)
		return 0;
	if (event->exec) {
		process->mappings_since_ns = event->time_ns;
		process->python = NULL;
		process->python_binary = NULL;
		names__forget(names, process, event->time_ns);
		return mapping_set__drop_before(&process->mappings, event->time_ns);
	}
	err = mapping_set__add(&process->mappings, &event->mapping);
	if (err)
		return err == -EINVAL ? 0 : err;
	return take_mapping(names, process, &event->mapping);
}

int names__after_exec(struct names *names, struct process *process)
{
	if (process->space)
		unwinder__tell(names->unwinder, (uint32_t)process->key.tgid, process->space);
	return process->python_binary ? tell_bpf(names, process) : 0;
}

/* What the native walker is told of a mapping. */
static struct unwind_mapping unwind_mapping(struct names *names, const struct process *process,
					    const struct mapping *mapping)
{
	struct unwind_mapping unwind = {.start = mapping->start, .end = mapping->end};
	struct binary *binary;

	if (!strcmp(mapping->file.path, VDSO))
		unwind.file = unwinder__vdso(names->unwinder);
	else if (!binaries__get(names->binaries, (pid_t)process->key.tgid, mapping, &binary) &&
		 !binary__address(binary, mapping, mapping->start, &unwind.address))
		unwind.file = binary->unwind;
	return unwind;
}

static int settle(struct names *names, struct process *process, uint64_t now_ns)
{
	size_t count = mapping_set__count(process->mappings);
	_cleanup_free_ struct unwind_mapping *mappings = calloc(count + 1, sizeof(*mappings));

	if (!mappings)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		mappings[i] = unwind_mapping(names, process, mapping_set__at(process->mappings, i));
	return unwinder__map(names->unwinder, (uint32_t)process->key.tgid, &process->space,
			     mappings, count, now_ns);
}

int names__on_fork(struct names *names, struct process *parent, struct process *child,
		   uint64_t forked_ns)
{
	int err = 0;

	quanta__share_space(parent, child);
	/* A parent that has just begun: what waits for names__settle() is the child's as well. */
	if (parent->mappings_changed) {
		unchange(names, parent);
		err = settle(names, parent, clock__ns(CLOCK_MONOTONIC));
	}
	if (err || !parent->space || child->space)
		return err;
	return unwinder__share(names->unwinder, (uint32_t)child->key.tgid, parent->space, forked_ns,
			       &child->space);
}

int names__settle(struct names *names, uint64_t now_ns)
{
	int err = 0;

	while (names->changed && !err) {
		struct process *process = names->changed;

		unchange(names, process);
		err = settle(names, process, now_ns);
	}
	return err;
}

/* --- functions */

static int64_t frame_of(struct names *names, const struct stack_function *function)
{
	int64_t id = stack_tree__function(names->tree, function);

	return id < 0 ? id : stack_tree__frame(names->tree, id, 0);
}

int64_t names__kernel(struct names *names, uint64_t address)
{
	struct stack_function function = {.kind = FUNCTION_KERNEL, .module = "kernel"};
	struct kernel_symbol symbol;
	int err = names->kernel ? kernel_symbols__find(names->kernel, address, &symbol) : -EPERM;

	if (err == -ENOENT && !kernel_symbols__refresh(names->kernel))
		err = kernel_symbols__find(names->kernel, address, &symbol);
	function.name = err ? "[kernel]" : symbol.name;
	if (!err && symbol.module)
		function.module = symbol.module;
	return frame_of(names, &function);
}

int64_t names__native(struct names *names, struct process *process, uint64_t address,
		      uint64_t now_ns)
{
	const struct mapping *mapping = mapping_set__find(process->mappings, address);
	struct stack_function function = {.kind = FUNCTION_NATIVE};
	struct binary *binary;
	int err;

	if (!mapping && now_ns - process->mappings_read_ns > MAPS_INTERVAL_NS) {
		err = names__read_mappings(names, process, now_ns);
		if (err)
			return err;
		mapping = mapping_set__find(process->mappings, address);
	}
	if (!mapping) {
		function.name = function.module = "[unknown]";
		return frame_of(names, &function);
	}
	err = binaries__get(names->binaries, (pid_t)process->key.tgid, mapping, &binary);
	if (!err)
		return native_names__frame(names->natives, binary, mapping, address,
					   process->python_binary == binary);
	if (err == -ENOMEM)
		return err;
	/* "[vdso]", "//anon", or a file that nobody can open any more. */
	function.module = mapping->file.path[0] ? mapping->file.path : "[anonymous]";
	function.name = function.module;
	return frame_of(names, &function);
}

/* --- Python */

int64_t names__python(struct names *names, struct process *process, const struct ps_frame *frame,
		      bool *ret_named)
{
	const struct binary *binary = process->python_binary;
	struct code_place place = {};
	int err;

	if (!process->codes) {
		process->codes = code_names__new();
		if (!process->codes)
			return -ENOMEM;
	}
	if (binary && binary->python_known) {
		/* The type object moves with the runtime. */
		uint64_t bias = process->python_process.runtime - binary->python.runtime;

		err = code_names__find(names->codes, process->codes, (pid_t)process->key.tgid,
				       &binary->python.layout,
				       binary->python.code_type ? binary->python.code_type + bias
								: 0,
				       frame, &place);
	} else {
		err = -ESRCH;
	}
	if (!err && place.fresh && names->quanta)
		err = quanta__on_code(names->quanta, process, &binary->python.layout, frame,
				      place.fresh);
	if (err == -ENOMEM)
		return err;
	if (err) {
		const struct stack_function unnamed = {
			.kind = FUNCTION_PYTHON, .name = "[unnamed]", .module = "[unknown]"};

		names->counters[err == -EBADMSG ? PS_COUNTER_NAME_UNREADABLE
						: PS_COUNTER_NAME_TOO_LATE]++;
		*ret_named = false;
		place.function = stack_tree__function(names->tree, &unnamed);
	}
	if (place.function < 0)
		return place.function;
	return stack_tree__frame(names->tree, place.function, place.line);
}

static int64_t unread_part(struct names *names)
{
	const struct stack_function function = {
		.kind = FUNCTION_SUBTASK, .name = "[unread]", .module = "subtask"};

	names->counters[PS_COUNTER_SUBTASK_UNREAD]++;
	return frame_of(names, &function);
}

int64_t names__untold_part(struct names *names, const struct process *process,
			   const struct ps_frame *frame)
{
	return names->quanta && quanta__is_part(names->quanta, process, frame) ? unread_part(names)
									       : 0;
}

int64_t names__part(struct names *names, struct process *process, uint64_t epoch,
		    const struct ps_frame *part)
{
	struct known_part *known = &names->parts[(part->address >> 4) & (PARTS_KNOWN - 1)];
	const struct python_layout *layout = names__python_layout(process);
	_cleanup_free_ char *text = NULL;
	struct stack_function function = {.kind = FUNCTION_SUBTASK, .module = "subtask"};
	int64_t frame = 0;
	int err = -ENOENT;

	if (known->process == process->id && known->epoch == epoch &&
	    known->object == part->address && known->rule == part->position)
		return known->frame;
	if (names->quanta && layout)
		err = quanta__part_name(names->quanta, process, layout, (uint32_t)part->position,
					part->address, &text);
	if (err == -ENOMEM)
		return err;
	/* An object that is gone had a name: its callees are not the task's around it. */
	if (err && err != -ENOENT)
		frame = unread_part(names);
	function.name = text;
	if (text)
		frame = frame_of(names, &function);
	if (frame >= 0)
		*known = (struct known_part){process->id, epoch, part->address, part->position,
					     frame};
	return frame;
}

const struct python_layout *names__python_layout(const struct process *process)
{
	const struct binary *binary = process->python_binary;

	return binary && binary->python_known ? &binary->python.layout : NULL;
}

bool names__layout(const struct process *process, struct ps_py_offsets *ret_layout)
{
	const struct binary *binary = process->python_binary;

	if (!binary || !binary->python_known)
		return false;
	*ret_layout = python_layout__for_walker(&binary->python.layout);
	return true;
}

int names__write_problems(const struct names *names, struct recording_writer *writer)
{
	return binaries__write_problems(names->binaries, writer);
}

/* --- what is forgotten */

void names__use(struct names *names, const struct process *process)
{
	size_t count = process->mappings ? mapping_set__count(process->mappings) : 0;

	for (size_t i = 0; i < count; i++) {
		const struct mapping *mapping = mapping_set__at(process->mappings, i);

		string_pool__use(names->pool, mapping->file.path);
		binaries__use_mapping(names->binaries, mapping);
	}
	binaries__use(names->binaries, process->python_binary);
	string_pool__use(names->pool, process->python);
}

struct forgetting {
	struct names *names;
	struct recording_writer *writer;
	uint64_t now_ns;
};

static int forget_binary(void *context, struct binary *binary)
{
	const struct forgetting *forgetting = context;
	struct names *names = forgetting->names;
	int err;

	if (binary->unwind && unwind_file__busy(binary->unwind))
		return -EBUSY;
	err = binary__write_problems(binary, forgetting->writer);
	if (err)
		return err;
	if (binary->unwind)
		unwinder__forget_file(names->unwinder, binary->unwind, forgetting->now_ns);
	binary->unwind = NULL;
	native_names__forget(names->natives, binary);
	return 0;
}

int names__sweep(struct names *names, struct recording_writer *writer, uint64_t now_ns)
{
	struct forgetting forgetting = {names, writer, now_ns};
	int err = binaries__sweep(names->binaries, forget_binary, &forgetting);

	if (err)
		return err;
	binaries__use_paths(names->binaries, names->pool);
	string_pool__sweep(names->pool);
	code_cache__use(names->codes);
	for (size_t i = 0; i < PARTS_KNOWN; i++)
		stack_tree__use_frame(names->tree, names->parts[i].frame);
	return 0;
}

int names__take_lines(struct names *names)
{
	int err = native_names__take(names->natives);

	names->counters[PS_COUNTER_NO_LINES] = native_names__missing(names->natives);
	return err;
}
