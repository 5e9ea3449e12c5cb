// SPDX-License-Identifier: GPL-2.0-or-later
#include "python/eval_ranges.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "python/probe_file.h"
#include "python/x86_code.h"
#include "unwind/functions.h"
#include "unwind/rows.h"

#define LOOP_NAME     "_PyEval_EvalFrameDefault"
#define MAX_CODE_SIZE (4u << 20) /* bytes of one range; real ones have some 60 KB */

struct search {
	struct probe_file file;
	struct unwind_functions *functions;
	struct unwind_rows rows;
	struct eval_range found[EVAL_RANGES_MOST];
	size_t count;
};

static int find_symbol(const struct probe_file *file, GElf_Sym *ret)
{
	int err = probe_file__find_dynamic(file, LOOP_NAME, ret);

	return err == -ENOENT ? probe_file__find_static_function(file, LOOP_NAME, ret) : err;
}

/* The index of the found range that holds address; count: none. */
static size_t index_of(const struct search *search, uint64_t address)
{
	size_t i = 0;

	while (i < search->count &&
	       (address < search->found[i].start || address >= search->found[i].end))
		i++;
	return i;
}

static int add(struct search *search, const struct unwind_function *function)
{
	if (search->count == EVAL_RANGES_MOST)
		return -ENOSPC;
	search->found[search->count++] = (struct eval_range){
		.start = function->start,
		.end = function->start + function->size,
	};
	return 0;
}

/* Not where a call arrives: there the CFA is rsp + 8. */
static bool is_inner_part(const struct search *search, const struct unwind_function *function)
{
	uint32_t rule = unwind_rows__find(&search->rows, function->start);

	switch (PS_UNWIND_CFA(rule)) {
	case PS_CFA_RSP:
		return PS_UNWIND_CFA_OFFSET(rule) > 8;
	case PS_CFA_RBP:
	case PS_CFA_RBP_DEREF:
	case PS_CFA_RSP_DEREF:
		return true;
	default:
		return false;
	}
}

/* *ret_belongs is set when the jump leads into the loop. */
static int take_jump(struct search *search, bool inside, uint64_t target, bool *ret_belongs)
{
	struct unwind_function function;
	size_t known = index_of(search, target);

	if (known < search->count) {
		/* A jump to the start of the loop is a call of it. */
		*ret_belongs |= target != search->found[0].start;
		return 0;
	}
	if (!inside || unwind_functions__find(search->functions, target, &function) ||
	    !is_inner_part(search, &function))
		return 0;
	return add(search, &function);
}

/* Looks at the jumps of [start, end). Those out of the loop (inside) add the parts that they lead
 * to; *ret_belongs: whether one leads into the loop. */
static int look_at(struct search *search, struct eval_range range, bool inside, bool *ret_belongs)
{
	uint64_t size = range.end - range.start;
	_cleanup_free_ uint8_t *code = NULL;
	bool belongs = false;
	int err;

	if (size > MAX_CODE_SIZE)
		return inside ? -EBADMSG : 0;
	code = malloc(size);
	if (!code)
		return -ENOMEM;
	err = probe_file__read_address(&search->file, range.start, code, size);
	for (uint64_t at = 0; !err && at < size;) {
		struct x86_instruction instruction;

		if (x86_instruction__decode(code + at, size - at, &instruction)) {
			at++;
			continue;
		}
		if (instruction.jump)
			err = take_jump(search, inside,
					range.start + at + (uint64_t)instruction.jump, &belongs);
		at += instruction.length;
	}
	if (!err)
		*ret_belongs = belongs;
	return err;
}

/* Follows the jumps of all that was found from `next` on, and of what is found on the way. */
static int follow(struct search *search, size_t next)
{
	bool belongs;
	int err = 0;

	while (!err && next < search->count) {
		err = look_at(search, search->found[next], true, &belongs);
		next++;
	}
	return err;
}

/* Parts that are reached in other ways, as by a table of labels, but jump back. */
static int add_returning(struct search *search)
{
	size_t count = unwind_functions__count(search->functions);

	for (size_t i = 0; i < count; i++) {
		struct unwind_function function = unwind_functions__at(search->functions, i);
		struct eval_range range = {function.start, function.start + function.size};
		bool belongs = false;
		int err;

		if (index_of(search, function.start) < search->count ||
		    !is_inner_part(search, &function))
			continue;
		err = look_at(search, range, false, &belongs);
		if (!err && belongs)
			err = add(search, &function);
		if (!err && belongs)
			err = follow(search, search->count - 1);
		if (err)
			return err;
	}
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct eval_range *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static int run(struct search *search)
{
	struct unwind_function loop;
	GElf_Sym symbol;
	int err = find_symbol(&search->file, &symbol);

	if (!err)
		err = unwind_functions__open(search->file.fd, &search->functions);
	if (!err)
		err = unwind_functions__find(search->functions, symbol.st_value, &loop);
	if (!err)
		err = unwind_rows__compile(search->file.fd, &search->rows);
	if (!err)
		err = add(search, &loop);
	if (!err)
		err = follow(search, 0);
	return err ? err : add_returning(search);
}

int eval_ranges__find(int fd, struct eval_range *ranges, size_t room, size_t *ret_count)
{
	struct search search = {.count = 0};
	int err = probe_file__open(&search.file, fd);

	if (err)
		return err;
	err = run(&search);
	if (!err && search.count > room)
		err = -ENOSPC;
	if (!err) {
		qsort(search.found, search.count, sizeof(*search.found), compare);
		for (size_t i = 0; i < search.count; i++)
			ranges[i] = search.found[i];
		*ret_count = search.count;
	}
	unwind_functions__free(search.functions);
	unwind_rows__clear(&search.rows);
	probe_file__close(&search.file);
	return err;
}
