/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a query can group by and filter by: a table. A new source of events adds rows to it. */
#ifndef MODEL_KEYS_H
#define MODEL_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/fields.h"
#include "model/tables.h"

/* Of what the key's value is a property: this says which index `value` takes. */
enum key_scope {
	SCOPE_EPOCH,
	SCOPE_THREAD,
	SCOPE_SLICE,
	SCOPE_WAIT, /* class of waits */
	SCOPE_OP, /* operation on files */
	SCOPE_FILE,
	SCOPE_WAKER,
	SCOPE_ENDING, /* 1 + index of how a sampled stack ended; 0: exact, there is no stack */
	SCOPE_CEPH, /* operation of CephFS; of another source's facts it means nothing */
	SCOPE_NODE, /* the last: a fact of the tables has an index of each scope before it */
	SCOPE_COUNT
};

/* SCOPE_NODE: the frame of a sampled stack whose value the sample gets. */
enum frame_choice {
	FRAME_OWNER, /* innermost, but the interpreter's own code goes to its caller */
	FRAME_LINED, /* innermost that has a line */
	FRAME_OUTERMOST,
	FRAME_SUBTASK, /* innermost that is one */
	FRAME_SAMPLED /* innermost as it is: the value stands for the whole stack */
};

/* Values that are no index and no pointer. */
#define VALUE_UNKNOWN	  UINT64_MAX
#define VALUE_NOT_SAMPLED (UINT64_MAX - 1)
#define VALUE_INTERRUPT	  (UINT64_MAX - 2) /* of wakers */

struct key {
	const char *name;
	const char *title; /* of its column in a text table */
	const char *meaning;
	enum key_scope scope;
	enum frame_choice choice;
	const char *field; /* of quanta's data: its name; else NULL */
	bool totals; /* callers have a figure "with callees" of their own */
	bool unknown_is_null; /* without `describe`: of VALUE_UNKNOWN */

	/* An index, an interned text as a number, 0 (no text) or VALUE_UNKNOWN. */
	uint64_t (*value)(const struct tables *tables, uint32_t index);
	/* NULL: all facts count; else those of which it says yes, when rows are by this key. */
	bool (*counts)(const struct tables *tables, uint32_t index);
	/* NULL: no filter of this key. */
	bool (*matches)(const struct tables *tables, uint64_t value, const char *pattern);
	/* NULL: all patterns have a meaning; else what a pattern without one should have been
	 * (static), NULL for others. */
	const char *(*refusal)(const char *pattern);
	int (*compare)(const struct tables *tables, uint64_t one, uint64_t other);
	/* For JSON and CSV: the key itself and what tells it apart from others of its name. NULL:
	 * the value is a text, and all there is. */
	void (*describe)(struct tables *tables, uint64_t value, struct field_list *list);
	/* For one column of text; malloc'ed. 0 or -ENOMEM. */
	int (*label)(const struct tables *tables, uint64_t value, char **ret_label);
};

/* NULL: there is none of this name. */
const struct key *key__find(const char *name);

/* The key of a field of quanta's data, dataid.FIELD; false: that is no such name, which must live
 * as long as the key. */
bool key__of_field(const char *name, struct key *ret_key);

/* What key->value says; of a key of a field what the data say. */
uint64_t key__value(const struct key *key, const struct tables *tables, uint32_t index);
/* What key->describe says; of a key without it the text itself. */
void key__describe(const struct key *key, struct tables *tables, uint64_t value,
		   struct field_list *list);

/* NULL behind the last; for lists in messages. */
const struct key *key__at(size_t position);

/* Whole text against a pattern in which only '*' is special. */
bool pattern__matches(const char *pattern, const char *text);

#endif
