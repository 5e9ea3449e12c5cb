// SPDX-License-Identifier: GPL-2.0-or-later
/* Breakpoints lie in code, so each must be the first byte of an instruction, or the process would
 * run something else. Where functions begin the symbols tell; where they return is found by taking
 * all instructions apart from the first on. A function that cannot be taken apart to its last byte
 * is only counted. A jump to where another function begins is an end, too, when it is always taken:
 * as the function's last act, which the stack pointer tells. */
#include "capture/call_targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/strings.h"
#include "capture/binaries.h"
#include "capture/call_code.h"
#include "proc/mappings.h"
#include "python/binary.h"
#include "python/eval_ranges.h"
#include "symbols/demangle.h"
#include "symbols/elf.h"

#define LARGEST_FUNCTION (1024 * 1024) /* bytes */
#define MOST_PARTS	 8 /* of a function, that are elsewhere */
#define PYTHON_LOOP	 "_PyEval_EvalFrameDefault"
#define PYTHON_3_8	 0x0308

/* One executable mapping of a file. */
struct place {
	struct call_targets *targets;
	call_wanted *wanted;
	void *context;
	bool python, timed;
	pid_t pid;
	const struct mapping *mapping;
	uint64_t vaddr; /* of the mapping's start, as the file has it */
	int fd;
	struct elf_symbols *symbols;
};

static int add_point(const struct place *place, uint64_t vaddr, struct ps_calls_target target)
{
	struct call_targets *targets = place->targets;
	uint64_t distance = vaddr - place->vaddr;
	struct call_point *point;
	int err;

	if (targets->point_count == PS_CALLS_POINTS)
		return -E2BIG;
	err = array__reserve(&targets->points, &targets->point_capacity, sizeof(*targets->points),
			     targets->point_count + 1);
	if (err)
		return err;
	point = &targets->points[targets->point_count];
	*point = (struct call_point){
		.offset = place->mapping->offset + distance,
		.pid = place->pid,
		.address = place->mapping->start + distance,
		.target = target,
	};
	if (asprintf(&point->path, "/proc/%d/map_files/%llx-%llx", place->pid,
		     (unsigned long long)place->mapping->start,
		     (unsigned long long)place->mapping->end) < 0)
		return -ENOMEM;
	targets->point_count++;
	return 0;
}

/* What is found in a function's code. */
struct ends {
	const struct place *place;
	const struct elf_symbol *function;
	struct elf_symbol parts[MOST_PARTS]; /* the compiler has put them apart as rarely run */
	size_t part_count;
	bool wanted; /* breakpoints at its ends are set */
	bool loops; /* it jumps to its beginning */
	enum ps_calls_kind at_once; /* its first instruction is an end; 0: it is none */
	bool unwatched;
};

static bool is_part(const char *name)
{
	return strstr(name, ".cold");
}

static bool holds(const struct elf_symbol *symbol, uint64_t vaddr)
{
	return vaddr >= symbol->start && vaddr - symbol->start < symbol->size;
}

static int add_end(struct ends *ends, uint64_t vaddr, enum ps_calls_kind kind)
{
	const struct place *place = ends->place;
	const struct ps_calls_target target = {
		.kind = kind,
		.begin = place->mapping->start + (ends->function->start - place->vaddr),
	};

	if (vaddr == ends->function->start) {
		ends->at_once = kind == PS_CALLS_JUMP ? PS_CALLS_JUMPER : PS_CALLS_RETURNER;
		return 0;
	}
	return ends->wanted ? add_point(place, vaddr, target) : 0;
}

static void add_part(struct ends *ends, const struct elf_symbol *part)
{
	for (size_t i = 0; i < ends->part_count; i++)
		if (ends->parts[i].start == part->start)
			return;
	if (ends->part_count == MOST_PARTS)
		ends->unwatched = true;
	else
		ends->parts[ends->part_count++] = *part;
}

/* A jump out of the function, or within it. */
static int take_jump(struct ends *ends, const struct call_step *step)
{
	struct elf_symbol other;

	ends->loops |= step->target == ends->function->start;
	if (holds(ends->function, step->target))
		return 0;
	for (size_t i = 0; i < ends->part_count; i++)
		if (holds(&ends->parts[i], step->target))
			return 0;
	if (elf_symbols__find(ends->place->symbols, step->target, &other)) {
		ends->unwatched = true;
	} else if (is_part(other.name)) {
		add_part(ends, &other);
	} else if (step->way == CALL_WAY_JUMP && step->target == other.start) {
		return add_end(ends, step->at, PS_CALLS_JUMP);
	} else {
		ends->unwatched = true;
	}
	return 0;
}

static int take_step(void *context, const struct call_step *step)
{
	struct ends *ends = context;

	switch (step->way) {
	case CALL_WAY_RETURN:
		return add_end(ends, step->at, PS_CALLS_RETURN);
	case CALL_WAY_LOADED:
		return add_end(ends, step->at, PS_CALLS_JUMP);
	case CALL_WAY_JUMP:
	case CALL_WAY_BRANCH:
		return take_jump(ends, step);
	case CALL_WAY_COMPUTED:
		ends->unwatched = true;
	}
	return 0;
}

static int each_step(const struct place *place, uint64_t vaddr, uint64_t size,
		     int (*take)(void *context, const struct call_step *step), struct ends *ends)
{
	_cleanup_free_ uint8_t *code = NULL;
	int err;

	if (!size || size > LARGEST_FUNCTION)
		return -EBADMSG;
	code = malloc(size);
	if (!code)
		return -ENOMEM;
	err = file__read_at(place->fd, place->mapping->offset + (vaddr - place->vaddr), code, size);
	return err ?: call_code__each(code, size, vaddr, take, ends);
}

static bool is_mapped(const struct place *place, const struct elf_symbol *symbol)
{
	uint64_t room = place->mapping->end - place->mapping->start;

	return symbol->start >= place->vaddr && symbol->start - place->vaddr < room &&
	       symbol->size <= room - (symbol->start - place->vaddr);
}

static void drop_points(struct call_targets *targets, size_t count)
{
	while (targets->point_count > count)
		free(targets->points[--targets->point_count].path);
}

/* Adds the ends of the function and of its parts. -EBADMSG: not all of it could be taken apart;
 * nothing was added. */
static int add_ends(struct ends *ends)
{
	size_t before = ends->place->targets->point_count;
	int err = each_step(ends->place, ends->function->start, ends->function->size, take_step,
			    ends);

	if (err)
		drop_points(ends->place->targets, before);
	for (size_t i = 0; i < ends->part_count && !err; i++) {
		const struct elf_symbol part = ends->parts[i];
		size_t here = ends->place->targets->point_count;

		err = is_mapped(ends->place, &part)
			      ? each_step(ends->place, part.start, part.size, take_step, ends)
			      : -EBADMSG;
		if (err == -EBADMSG) {
			drop_points(ends->place->targets, here);
			ends->unwatched = true;
			err = 0;
		}
	}
	return err;
}

/* Whoever counts without times needs the ends only of a function that loops to its beginning: after
 * them it begins anew. `begin` is the place of its first breakpoint. */
static int add_native_ends(const struct place *place, const struct elf_symbol *symbol,
			   struct call_function *function, size_t begin)
{
	struct call_targets *targets = place->targets;
	struct ends ends = {.place = place, .function = symbol, .wanted = place->timed};
	int err = add_ends(&ends);

	if (!err && ends.loops && !ends.wanted) {
		ends.wanted = true;
		err = add_ends(&ends);
	}
	if (err == -EBADMSG)
		return 0;
	function->timed = place->timed;
	function->unwatched = ends.unwatched;
	if (ends.at_once)
		targets->points[begin].target.kind = ends.at_once;
	else if (ends.loops)
		targets->points[begin].target.kind = PS_CALLS_LOOP_ENTRY;
	return err;
}

static int add_function(const struct place *place, const struct elf_symbol *symbol, char *name)
{
	struct call_targets *targets = place->targets;
	const struct ps_calls_target target = {.kind = PS_CALLS_ENTRY};
	struct call_function *function;
	size_t begin = targets->point_count;
	int err = 0;

	if (targets->function_count == CALL_TARGETS_MOST)
		err = -E2BIG;
	err = err
		      ?: array__reserve(&targets->functions, &targets->function_capacity,
					sizeof(*targets->functions), targets->function_count + 1);
	err = err ?: add_point(place, symbol->start, target);
	if (err) {
		free(name);
		return err;
	}
	function = &targets->functions[targets->function_count++];
	*function = (struct call_function){
		.pid = place->pid,
		.address = place->mapping->start + (symbol->start - place->vaddr),
		.name = name,
		.module = strdup(place->mapping->file.path ?: ""),
	};
	if (!function->module)
		return -ENOMEM;
	return add_native_ends(place, symbol, function, begin);
}

/* By another of its names. */
static bool is_added(const struct place *place, const struct elf_symbol *symbol)
{
	const struct call_targets *targets = place->targets;
	const struct call_function *last;

	if (!targets->function_count)
		return false;
	last = &targets->functions[targets->function_count - 1];
	return last->pid == place->pid &&
	       last->address == place->mapping->start + (symbol->start - place->vaddr);
}

static int take_symbol(void *context, const struct elf_symbol *symbol)
{
	const struct place *place = context;
	size_t length = strlen(symbol->name);
	char *name;

	/* Entries of the procedure linkage table are jumps to the function itself, and what the
	 * compiler has put apart as rarely run is a part of it. */
	if (!is_mapped(place, symbol) || !symbol->size || is_part(symbol->name) ||
	    (length > 4 && !strcmp(symbol->name + length - 4, "@plt")))
		return 0;
	name = symbol__demangle(symbol->name);
	if (!name)
		name = strdup(symbol->name);
	if (!name)
		return -ENOMEM;
	if (!place->wanted(place->context, name) || is_added(place, symbol)) {
		free(name);
		return 0;
	}
	return add_function(place, symbol, name);
}

/* --- Python */

static int find_loop(void *context, const struct elf_symbol *symbol)
{
	uint64_t *start = context;

	if (!strcmp(symbol->name, PYTHON_LOOP))
		*start = symbol->start;
	return 0;
}

static int take_return(void *context, const struct call_step *step)
{
	return step->way == CALL_WAY_RETURN ? add_end(context, step->at, PS_CALLS_RETURN) : 0;
}

static int add_loop_returns(const struct place *place, uint64_t start,
			    const struct eval_range *range)
{
	const struct elf_symbol loop = {.start = start};
	struct ends ends = {.place = place, .function = &loop, .wanted = true};
	size_t before = place->targets->point_count;
	int err = each_step(place, range->start, range->end - range->start, take_return, &ends);

	if (err == -EBADMSG)
		drop_points(place->targets, before);
	return err;
}

static int add_python(const struct place *place)
{
	struct call_targets *targets = place->targets;
	struct call_python *python;
	struct eval_range ranges[EVAL_RANGES_MOST];
	struct ps_calls_target target = {.layout = (uint32_t)targets->python_count};
	struct python_binary binary;
	uint64_t start = 0;
	size_t count = 0;
	int err = python_binary__probe(place->fd, &binary);

	if (err)
		return err == -ENOMEM ? err : 0;
	err = elf_symbols__each(place->symbols, find_loop, &start);
	if (err || start < place->vaddr)
		return err;
	if (targets->python_count == PS_MAX_LAYOUTS)
		return -E2BIG;
	err = array__reserve(&targets->pythons, &targets->python_capacity,
			     sizeof(*targets->pythons), targets->python_count + 1);
	if (err)
		return err;
	target.kind = binary.version <= PYTHON_3_8 ? PS_CALLS_PYTHON_FIRST : PS_CALLS_PYTHON_SECOND;
	err = add_point(place, start, target);
	if (err)
		return err;
	python = &targets->pythons[targets->python_count++];
	*python = (struct call_python){
		.pid = place->pid,
		.version = binary.version,
		.runtime = place->mapping->start + (binary.runtime - place->vaddr),
		.code_type = binary.code_type
				     ? place->mapping->start + (binary.code_type - place->vaddr)
				     : 0,
		.layout = binary.layout,
	};
	if (place->timed && !eval_ranges__find(place->fd, ranges, EVAL_RANGES_MOST, &count))
		for (size_t i = 0; i < count && !err; i++)
			err = add_loop_returns(place, start, &ranges[i]);
	python->timed = !err && count;
	return err == -EBADMSG ? 0 : err;
}

/* --- the whole */

static int add_mapping(struct place *place)
{
	int err = 0;

	place->fd = binary__open(place->pid, place->mapping);
	if (place->fd < 0)
		return place->fd == -ENOMEM ? -ENOMEM : 0;
	if (elf_symbols__open(place->fd, NULL, &place->symbols))
		goto cleanup; /* no program */
	if (elf_symbols__vaddr(place->symbols, place->mapping->offset, &place->vaddr))
		goto cleanup;
	elf_symbols__keep_aliases(place->symbols);
	err = elf_symbols__each(place->symbols, take_symbol, place);
	if (err == -EBADMSG || err == -EFBIG)
		err = 0; /* its symbols are of no use */
	if (!err && place->python)
		err = add_python(place);
cleanup:
	elf_symbols__free(place->symbols);
	place->symbols = NULL;
	close(place->fd);
	return err;
}

int call_targets__add(struct call_targets *targets, pid_t pid, call_wanted *wanted, void *context,
		      bool python, bool timed)
{
	struct string_pool *pool = string_pool__new();
	struct mapping_set *set = NULL;
	struct place place = {.targets = targets,
			      .wanted = wanted,
			      .context = context,
			      .python = python,
			      .timed = timed,
			      .pid = pid};
	int err = pool ? mapping_set__read(pid, pool, &set) : -ENOMEM;

	for (size_t i = 0; !err && i < mapping_set__count(set); i++) {
		place.mapping = mapping_set__at(set, i);
		if (place.mapping->file.inode)
			err = add_mapping(&place);
	}
	mapping_set__unref(set);
	string_pool__free(pool);
	return err;
}

void call_targets__clear(struct call_targets *targets)
{
	for (size_t i = 0; i < targets->point_count; i++)
		free(targets->points[i].path);
	for (size_t i = 0; i < targets->function_count; i++) {
		free(targets->functions[i].name);
		free(targets->functions[i].module);
	}
	free(targets->points);
	free(targets->functions);
	free(targets->pythons);
	*targets = (struct call_targets){0};
}
