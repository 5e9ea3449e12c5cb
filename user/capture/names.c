// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/strings.h"
#include "capture/binaries.h"
#include "capture/code_names.h"
#include "capture/remote_walk.h"
#include "model/stack_tree.h"
#include "store/writer.h"
#include "symbols/demangle.h"
#include "symbols/elf.h"
#include "symbols/kernel.h"

#define NS_PER_S 1000000000ULL
/* A process's maps are read again for an address that no mapping holds, at most this often. */
#define MAPS_INTERVAL_NS NS_PER_S

struct names {
	struct stack_tree *tree;
	struct string_pool *pool;
	struct names_maps maps;
	uint64_t *counters;
	struct binaries *binaries;
	struct kernel_symbols *kernel; /* NULL: hidden */
	struct code_cache *codes;
	struct known_stack *stacks;
	struct ps_py_offsets layouts[PS_MAX_LAYOUTS];
	uint32_t layout_count;
};

static const char *const ending_names[] = {
#define X(name, text, ok, meaning) text,
	PS_ENDINGS(X)
#undef X
};

const char *ending__name(uint32_t ending)
{
	return ending_names[ending < PS_END_COUNT ? ending : PS_END_UNKNOWN];
}

int names__new(struct stack_tree *tree, struct string_pool *pool, struct names_maps maps,
	       uint64_t *counters, struct names **ret_names)
{
	struct names *names = calloc(1, sizeof(*names));
	int err;

	if (!names)
		return -ENOMEM;
	names->tree = tree;
	names->pool = pool;
	names->maps = maps;
	names->counters = counters;
	names->binaries = binaries__new();
	names->codes = code_cache__new(tree);
	err = names->binaries && names->codes ? kernel_symbols__new(&names->kernel) : -ENOMEM;
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
	struct known_stack *one, *next;

	if (!names)
		return;
	HASH_ITER (hh, names->stacks, one, next) {
		HASH_DEL(names->stacks, one);
		free(one);
	}
	code_cache__free(names->codes);
	binaries__free(names->binaries);
	kernel_symbols__free(names->kernel);
	free(names);
}

void names__forget(void *context, struct process *process)
{
	struct names *names = context;
	struct known_stack *one = process->stacks;

	while (one) {
		struct known_stack *next = one->next;

		HASH_DEL(names->stacks, one);
		free(one);
		one = next;
	}
	process->stacks = NULL;
	code_names__free(names->codes, process->codes);
	process->codes = NULL;
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

static int found_python(struct names *names, struct process *process, const struct mapping *mapping,
			const struct binary *binary)
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
	return tell_bpf(names, process);
}

static int take_mapping(struct names *names, struct process *process, const struct mapping *mapping)
{
	struct binary *binary;
	int err = binaries__get(names->binaries, (pid_t)process->key.tgid, mapping, &binary);

	if (err)
		return err == -ENOMEM ? err : 0; /* gone, or not a file: it stays without names */
	if (binary->is_python && process->python_binary != binary)
		return found_python(names, process, mapping, binary);
	return 0;
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
		code_names__free(names->codes, process->codes);
		process->codes = NULL;
		return mapping_set__drop_before(&process->mappings, event->time_ns);
	}
	err = mapping_set__add(&process->mappings, &event->mapping);
	if (err)
		return err == -EINVAL ? 0 : err;
	return take_mapping(names, process, &event->mapping);
}

int names__after_exec(struct names *names, struct process *process)
{
	return process->python_binary ? tell_bpf(names, process) : 0;
}

/* --- functions */

static int64_t kernel_function(struct names *names, uint64_t address)
{
	struct stack_function function = {.kind = FUNCTION_KERNEL, .module = "kernel"};
	struct kernel_symbol symbol;
	int err = names->kernel ? kernel_symbols__find(names->kernel, address, &symbol) : -EPERM;

	if (err == -ENOENT && !kernel_symbols__refresh(names->kernel))
		err = kernel_symbols__find(names->kernel, address, &symbol);
	function.name = err ? "[kernel]" : symbol.name;
	if (!err && symbol.module)
		function.module = symbol.module;
	return stack_tree__function(names->tree, &function);
}

/* A pc in a mapping of a file: the function's name, or "[file]" where no symbol covers it. */
static int64_t binary_function(struct names *names, const struct process *process,
			       const struct binary *binary, const struct mapping *mapping,
			       uint64_t address)
{
	struct stack_function function = {.kind = FUNCTION_NATIVE, .module = binary->path};
	_cleanup_free_ char *demangled = NULL;
	char unnamed[256];
	struct elf_symbol symbol;
	uint64_t file_address;

	if (process->python_binary == binary)
		function.kind = FUNCTION_INTERPRETER;
	if (!binary__address(binary, mapping, address, &file_address) &&
	    !elf_symbols__find(binary->symbols, file_address, &symbol)) {
		demangled = symbol__demangle(symbol.name);
		function.name = demangled ? demangled : symbol.name;
	} else {
		snprintf(unnamed, sizeof(unnamed), "[%s]", binary->name);
		function.name = unnamed;
	}
	return stack_tree__function(names->tree, &function);
}

static int64_t native_function(struct names *names, struct process *process, uint64_t address,
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
		return stack_tree__function(names->tree, &function);
	}
	err = binaries__get(names->binaries, (pid_t)process->key.tgid, mapping, &binary);
	if (!err)
		return binary_function(names, process, binary, mapping, address);
	if (err == -ENOMEM)
		return err;
	/* "[vdso]", "//anon", or a file that nobody can open any more. */
	function.module = mapping->file.path[0] ? mapping->file.path : "[anonymous]";
	function.name = function.module;
	return stack_tree__function(names->tree, &function);
}

/* --- stacks */

static int64_t push(struct names *names, int64_t node, int64_t function)
{
	int64_t frame = function < 0 ? function : stack_tree__frame(names->tree, function, 0);

	return frame < 0 ? frame : stack_tree__push(names->tree, node, frame);
}

static int64_t push_python(struct names *names, struct process *process, int64_t node,
			   const struct ps_frame *frame, bool *ret_named)
{
	const struct binary *binary = process->python_binary;
	struct code_place place = {};
	int64_t id;
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
	id = stack_tree__frame(names->tree, place.function, place.line);
	return id < 0 ? id : stack_tree__push(names->tree, node, id);
}

static struct known_stack *remember(struct names *names, struct process *process, uint64_t hash)
{
	struct known_stack *stack = names__find(names, hash);

	if (stack)
		return stack;
	stack = calloc(1, sizeof(*stack));
	if (!stack)
		return NULL;
	stack->hash = hash;
	stack->process = process;
	HASH_ADD(hh, names->stacks, hash, sizeof(stack->hash), stack);
	if (!stack->hh.tbl) {
		free(stack);
		return NULL;
	}
	stack->next = process->stacks;
	process->stacks = stack;
	return stack;
}

struct known_stack *names__find(struct names *names, uint64_t hash)
{
	struct known_stack *stack;

	HASH_FIND(hh, names->stacks, &hash, sizeof(hash), stack);
	return stack;
}

int names__on_stack(struct names *names, struct process *process,
		    const struct ps_stack_event *event, const uint64_t *words)
{
	const struct ps_frame *frames = (const void *)(words + event->kernel_frames);
	struct known_stack *stack;
	bool named = true;
	int64_t node = 0;

	/* The tree grows from the outermost frame inwards. */
	for (uint32_t i = event->user_frames; i-- > 0 && node >= 0;) {
		if (PS_FRAME_KIND(&frames[i]) == PS_FRAME_PYTHON)
			node = push_python(names, process, node, &frames[i], &named);
		else
			node = push(names, node,
				    native_function(names, process, frames[i].address,
						    event->event.time_ns));
	}
	for (uint32_t i = event->kernel_frames; i-- > 0 && node >= 0;)
		node = push(names, node, kernel_function(names, words[i]));
	if (node < 0)
		return (int)node;
	stack = remember(names, process, event->hash);
	if (!stack)
		return -ENOMEM;
	stack->node = node;
	stack->leaf_kernel = event->leaf_kernel;
	stack->ending = event->ending < PS_END_COUNT ? event->ending : PS_END_UNKNOWN;
	if (stack->ending == PS_END_PYTHON && !named)
		stack->ending = PS_END_UNNAMED;
	if (stack->ending == PS_END_NATIVE && process->python)
		stack->ending = PS_END_PY_NOT_YET;
	return 0;
}

int64_t names__leaf(struct names *names, struct process *process, const struct known_stack *stack,
		    uint64_t leaf, uint64_t now_ns)
{
	if (!leaf) /* it is in the stack */
		return stack->node ? stack->node : ROW_NULL;
	return push(names, stack->node,
		    stack->leaf_kernel ? kernel_function(names, leaf)
				       : native_function(names, process, leaf, now_ns));
}

int64_t names__sleeper(struct names *names, struct process *process,
		       const struct ps_task_event *task, enum ps_ending *ret_ending)
{
	const struct binary *binary = process->python_binary;
	struct ps_frame frames[PS_MAX_PYTHON];
	uint32_t ending = PS_END_NATIVE;
	bool named = true;
	size_t count = 0;
	int64_t node = 0;

	if (binary && binary->python_known) {
		const struct ps_py_offsets layout =
			python_layout__for_walker(&binary->python.layout);

		ending = remote_walk((pid_t)process->key.tgid, task->fs_base, &layout,
				     process->python_process.runtime, frames, &count);
	}
	while (count-- > 0 && node >= 0)
		node = push_python(names, process, node, &frames[count], &named);
	if (node >= 0 && task->user_ip)
		node = push(names, node,
			    native_function(names, process, task->user_ip, task->event.time_ns));
	*ret_ending = ending == PS_END_PYTHON && !named ? PS_END_UNNAMED : (enum ps_ending)ending;
	return node ? node : ROW_NULL;
}
