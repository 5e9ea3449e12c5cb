/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A query's rows as stacks in groups, for the formats that are made of stacks.
 *
 * Keys of the request that say where (function, line, module, stack) are the frames of a row,
 * outermost first; without any, it is the whole stack. The others are what rows are grouped by. Of
 * waits and operations, what was waited for or done is the innermost frame, "[lock]", unless a key
 * asks for it as a group. */
#ifndef EXPORT_ROW_STACKS_H
#define EXPORT_ROW_STACKS_H

#include "model/query.h"

#define STACKS_MAX_FRAMES (TABLES_MAX_DEPTH + QUERY_MAX_KEYS)

/* Equal frames are one. Texts live as long as the tables. */
struct stack_frame {
	const char *name;
	const char *label; /* name, of a Python frame with file and line: "work (main.py:12)" */
	uint32_t function; /* index into tables.functions; NO_INDEX: no code, "(not sampled)" */
	const char *file; /* NULL: not known */
	int64_t line; /* that runs, NO_VALUE */
};

struct row_stacks;

/* Adds the keys that a stack needs: `groups` (names, comma between) when there are none at all. */
void row_stacks__complete(struct query_request *request, const char *const *groups);
const char *row_stacks__refusal(const struct query_request *request);

/* Of a completed request. The tables must outlive the stacks. Rows come in batches, so that memory
 * does not grow with their number: those of a group are in one batch, groups with most samples come
 * first. Within a batch they are in the query's order, or (by_group) those of a group one after the
 * other, groups in the order of their largest row. Small recordings, and groups that are not those
 * of processes, are one batch. -EINVAL: refused; -ENOMEM. */
int row_stacks__new(struct tables *tables, const struct query_request *request, bool by_group,
		    struct row_stacks **ret_stacks);
/* The next batch, in the place of the one before, which frees its rows: 1; 0: there is no more; the
 * errors of query__run. */
int row_stacks__next(struct row_stacks *stacks);
void row_stacks__free(struct row_stacks *stacks); /* NULL is accepted */

/* All that follows is about the batch; frames are the same in all of them. */
const struct query *row_stacks__query(const struct row_stacks *stacks);

size_t row_stacks__row_count(const struct row_stacks *stacks);
const struct query_row *row_stacks__row(const struct row_stacks *stacks, size_t position);

/* Rows of equal groups have equal numbers. */
uint32_t row_stacks__group(const struct row_stacks *stacks, size_t position);

/* The keys of a group: positions among the request's. */
size_t row_stacks__group_key_count(const struct row_stacks *stacks);
size_t row_stacks__group_key(const struct row_stacks *stacks, size_t number);

/* The row's text for key `number` of its group; malloc'ed. -ENOMEM. */
int row_stacks__group_text(const struct row_stacks *stacks, size_t position, size_t number,
			   char **ret_text);

/* Frames of a row, outermost first, as indices for row_stacks__frame; borrowed until the next call.
 * -ENOMEM, -EOVERFLOW. */
int row_stacks__frames(struct row_stacks *stacks, size_t position, const uint32_t **ret_frames,
		       size_t *ret_count);
size_t row_stacks__frame_count(const struct row_stacks *stacks); /* known so far */
struct stack_frame row_stacks__frame(const struct row_stacks *stacks, uint32_t frame);

#endif
