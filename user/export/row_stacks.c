// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/row_stacks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* What a frame is made of, a tuple of stacks.frame_set. Frames of code have function and line,
 * others a text in the place of the function. */
enum { FRAME_KIND, FRAME_WHAT, FRAME_LINE, FRAME_WIDTH };

/* A row and its group, to be sorted. */
struct grouped_row {
	uint32_t group, row;
};

/* What FRAME_KIND can be. */
enum frame_kind { FRAME_CODE, FRAME_INLINED, FRAME_TEXT };

/* Samples of a batch, at least so many and this share of all, if groups are so small. */
#define BATCH_SAMPLES 65536
#define BATCHES	      8

/* Epochs with the same values of the group's keys, and their samples. */
struct epoch_group {
	uint32_t group;
	size_t samples;
};

struct row_stacks {
	struct tables *tables;
	struct query_request request;
	bool by_group;
	uint32_t *batch_of_epoch;
	bool *epochs; /* of the batch */
	uint32_t batch_count, batches_done;
	struct query *query; /* NULL: none yet */
	size_t group_keys[QUERY_MAX_KEYS], group_key_count;
	size_t frame_keys[QUERY_MAX_KEYS], frame_key_count;
	bool has_item; /* the last of the frame keys is what was waited for or done */
	struct grouped_row *rows;
	struct tuple_set *frame_set;
	const char **labels; /* per frame */
	size_t label_capacity;
	uint32_t *frame_of_shown; /* NO_INDEX: not yet asked for */
	uint32_t path[STACKS_MAX_FRAMES];
};

static bool has_scope(const struct query_request *request, enum key_scope scope)
{
	for (size_t i = 0; i < request->key_count; i++)
		if (request->keys[i]->scope == scope)
			return true;
	return false;
}

static void add_key(struct query_request *request, const char *name)
{
	if (request->key_count < QUERY_MAX_KEYS)
		request->keys[request->key_count++] = key__find(name);
}

void row_stacks__complete(struct query_request *request, const char *const *groups)
{
	bool chosen = request->key_count;

	if (!request->metric)
		request->metric = metric__find("cpu");
	for (size_t i = 0; !chosen && groups[i]; i++)
		add_key(request, groups[i]);
	if (!has_scope(request, SCOPE_NODE))
		add_key(request, "stack");
	if (request->metric->source == SOURCE_OFFCPU && !has_scope(request, SCOPE_WAIT))
		add_key(request, "wait");
	if (request->metric->source == SOURCE_IO && !has_scope(request, SCOPE_OP))
		add_key(request, "op");
	if (request->metric->source == SOURCE_CEPH && !has_scope(request, SCOPE_CEPH))
		add_key(request, "ceph");
}

const char *row_stacks__refusal(const struct query_request *request)
{
	if (!has_scope(request, SCOPE_NODE))
		return "too many keys: there is no room for the stack";
	return query__refusal(request);
}

/* The item is a frame only where row_stacks__complete put it: behind what says where. */
static void sort_keys(struct row_stacks *stacks)
{
	const struct query_request *request = &stacks->request;
	size_t last = request->key_count - 1;
	enum key_scope item = request->keys[last]->scope;

	stacks->has_item = last && (item == SCOPE_WAIT || item == SCOPE_OP || item == SCOPE_CEPH) &&
			   request->keys[last - 1]->scope == SCOPE_NODE;
	for (size_t i = 0; i < request->key_count; i++) {
		if (request->keys[i]->scope == SCOPE_NODE || (i == last && stacks->has_item))
			stacks->frame_keys[stacks->frame_key_count++] = i;
		else
			stacks->group_keys[stacks->group_key_count++] = i;
	}
}

static int compare_grouped(const void *one, const void *other)
{
	const struct grouped_row *a = one, *b = other;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return a->row < b->row ? -1 : a->row > b->row;
}

static int group_rows(struct row_stacks *stacks, bool by_group)
{
	struct tuple_set *groups = tuple_set__new(stacks->group_key_count + 1);
	size_t count = query__row_count(stacks->query);
	uint64_t values[QUERY_MAX_KEYS + 1] = {0};
	int error = 0;

	stacks->rows = calloc(count + 1, sizeof(*stacks->rows));
	if (!groups || !stacks->rows)
		error = -ENOMEM;
	for (size_t i = 0; i < count && !error; i++) {
		const struct query_row *row = query__row(stacks->query, i);

		for (size_t k = 0; k < stacks->group_key_count; k++)
			values[k] = query__value(stacks->query, row, stacks->group_keys[k]);
		stacks->rows[i].row = (uint32_t)i;
		error = tuple_set__add(groups, values, &stacks->rows[i].group);
	}
	if (!error && by_group)
		qsort(stacks->rows, count, sizeof(*stacks->rows), compare_grouped);
	tuple_set__free(groups);
	return error;
}

/* --- Batches. */

static int compare_epoch_groups(const void *one, const void *other)
{
	const struct epoch_group *a = one, *b = other;

	if (a->samples != b->samples)
		return a->samples > b->samples ? -1 : 1;
	return a->group < b->group ? -1 : a->group > b->group;
}

/* Which group each epoch is of, by its index; *ret_count groups. */
static int group_epochs(const struct row_stacks *stacks, uint32_t *group_of_epoch,
			uint32_t *ret_count)
{
	struct tuple_set *groups = tuple_set__new(stacks->group_key_count + 1);
	int error = groups ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < stacks->tables->epoch_count && !error; i++) {
		uint64_t values[QUERY_MAX_KEYS + 1] = {0};

		for (size_t k = 0; k < stacks->group_key_count; k++) {
			const struct key *key = stacks->request.keys[stacks->group_keys[k]];

			if (key->scope == SCOPE_EPOCH)
				values[k] = key__value(key, stacks->tables, i);
		}
		error = tuple_set__add(groups, values, &group_of_epoch[i]);
	}
	if (!error)
		*ret_count = (uint32_t)tuple_set__count(groups);
	tuple_set__free(groups);
	return error;
}

/* Puts groups together until they have enough samples. */
static void fill_batches(struct row_stacks *stacks, struct epoch_group *groups, uint32_t count,
			 uint32_t *batch_of_group)
{
	size_t wanted = stacks->tables->sample_count / BATCHES, samples = 0;

	if (wanted < BATCH_SAMPLES)
		wanted = BATCH_SAMPLES;
	qsort(groups, count, sizeof(*groups), compare_epoch_groups);
	stacks->batch_count = 1;
	for (uint32_t i = 0; i < count; i++) {
		if (samples && samples + groups[i].samples > wanted) {
			stacks->batch_count++;
			samples = 0;
		}
		batch_of_group[groups[i].group] = stacks->batch_count - 1;
		samples += groups[i].samples;
	}
}

static int plan_batches(struct row_stacks *stacks)
{
	const struct tables *tables = stacks->tables;
	struct epoch_group *groups = calloc(tables->epoch_count + 1, sizeof(*groups));
	uint32_t *batches = calloc(tables->epoch_count + 1, sizeof(*batches)), count = 0;
	int error = -ENOMEM;

	stacks->batch_of_epoch = calloc(tables->epoch_count + 1, sizeof(*stacks->batch_of_epoch));
	stacks->epochs = calloc(tables->epoch_count + 1, sizeof(*stacks->epochs));
	if (!groups || !batches || !stacks->batch_of_epoch || !stacks->epochs)
		goto cleanup;
	error = group_epochs(stacks, stacks->batch_of_epoch, &count);
	if (error)
		goto cleanup;
	for (uint32_t i = 0; i < count; i++)
		groups[i].group = i;
	for (size_t i = 0; i < tables->sample_count; i++) {
		uint32_t epoch = tables->pools[tables->samples[i].pool].epoch;

		groups[stacks->batch_of_epoch[epoch]].samples++;
	}
	fill_batches(stacks, groups, count, batches);
	for (size_t i = 0; i < tables->epoch_count; i++)
		stacks->batch_of_epoch[i] = batches[stacks->batch_of_epoch[i]];
cleanup:
	free(groups);
	free(batches);
	return error;
}

static int prepare_frames(struct row_stacks *stacks)
{
	size_t shown;

	if (stacks->frame_of_shown || !stacks->tables->shown)
		return 0;
	shown = tuple_set__count(stacks->tables->shown);
	stacks->frame_of_shown = malloc((shown + 1) * sizeof(*stacks->frame_of_shown));
	if (!stacks->frame_of_shown)
		return -ENOMEM;
	memset(stacks->frame_of_shown, 0xff, (shown + 1) * sizeof(*stacks->frame_of_shown));
	return 0;
}

int row_stacks__new(struct tables *tables, const struct query_request *request, bool by_group,
		    struct row_stacks **ret_stacks)
{
	struct row_stacks *stacks;
	int error;

	if (row_stacks__refusal(request))
		return -EINVAL;
	stacks = calloc(1, sizeof(*stacks));
	if (!stacks)
		return -ENOMEM;
	stacks->tables = tables;
	stacks->request = *request;
	stacks->by_group = by_group;
	sort_keys(stacks);
	stacks->frame_set = tuple_set__new(FRAME_WIDTH);
	error = stacks->frame_set ? plan_batches(stacks) : -ENOMEM;
	if (error) {
		row_stacks__free(stacks);
		return error;
	}
	*ret_stacks = stacks;
	return 0;
}

static void free_batch(struct row_stacks *stacks)
{
	query__free(stacks->query);
	free(stacks->rows);
	stacks->query = NULL;
	stacks->rows = NULL;
}

int row_stacks__next(struct row_stacks *stacks)
{
	struct query_request request = stacks->request;
	uint32_t batch = stacks->batches_done;
	int error;

	free_batch(stacks);
	if (batch == stacks->batch_count)
		return 0;
	for (size_t i = 0; i < stacks->tables->epoch_count; i++)
		stacks->epochs[i] = stacks->batch_of_epoch[i] == batch;
	if (stacks->batch_count > 1)
		request.epochs = stacks->epochs;
	error = query__run(stacks->tables, &request, &stacks->query);
	if (!error)
		error = group_rows(stacks, stacks->by_group);
	if (!error)
		error = prepare_frames(stacks);
	stacks->batches_done++;
	return error ? error : 1;
}

void row_stacks__free(struct row_stacks *stacks)
{
	if (!stacks)
		return;
	free_batch(stacks);
	tuple_set__free(stacks->frame_set);
	free(stacks->batch_of_epoch);
	free(stacks->epochs);
	free(stacks->labels);
	free(stacks->frame_of_shown);
	free(stacks);
}

const struct query *row_stacks__query(const struct row_stacks *stacks)
{
	return stacks->query;
}

size_t row_stacks__row_count(const struct row_stacks *stacks)
{
	return query__row_count(stacks->query);
}

const struct query_row *row_stacks__row(const struct row_stacks *stacks, size_t position)
{
	return query__row(stacks->query, stacks->rows[position].row);
}

uint32_t row_stacks__group(const struct row_stacks *stacks, size_t position)
{
	return stacks->rows[position].group;
}

size_t row_stacks__group_key_count(const struct row_stacks *stacks)
{
	return stacks->group_key_count;
}

size_t row_stacks__group_key(const struct row_stacks *stacks, size_t number)
{
	return stacks->group_keys[number];
}

static int key_label(const struct row_stacks *stacks, const struct query_row *row, size_t key,
		     char **ret_label)
{
	return query__request(stacks->query)
		->keys[key]
		->label(stacks->tables, query__value(stacks->query, row, key), ret_label);
}

int row_stacks__group_text(const struct row_stacks *stacks, size_t position, size_t number,
			   char **ret_text)
{
	return key_label(stacks, row_stacks__row(stacks, position), stacks->group_keys[number],
			 ret_text);
}

/* --- Frames. */

static int add_frame(struct row_stacks *stacks, const uint64_t *values, const char *label,
		     uint32_t *ret_frame)
{
	uint32_t frame;
	int error;

	error = tuple_set__add(stacks->frame_set, values, &frame);
	if (!error)
		error = array__reserve(&stacks->labels, &stacks->label_capacity,
				       sizeof(*stacks->labels), (size_t)frame + 1);
	if (error)
		return error;
	stacks->labels[frame] = label;
	*ret_frame = frame;
	return 0;
}

/* Takes text. */
static int add_text(struct row_stacks *stacks, char *text, uint32_t *ret_frame)
{
	const char *interned = text ? tables__intern(stacks->tables, text) : NULL;

	free(text);
	if (!interned)
		return -ENOMEM;
	return add_frame(stacks, (const uint64_t[]){FRAME_TEXT, (uintptr_t)interned, NO_INDEX},
			 interned, ret_frame);
}

static int add_shown(struct row_stacks *stacks, uint32_t shown, uint32_t *ret_frame)
{
	const uint64_t *values = tuple_set__at(stacks->tables->shown, shown);
	uint32_t *known = &stacks->frame_of_shown[shown];
	int error = 0;

	if (*known == NO_INDEX)
		error = add_frame(stacks,
				  (const uint64_t[]){values[3] ? FRAME_INLINED : FRAME_CODE,
						     values[1], values[2]},
				  stacks->tables->shown_labels[shown], known);
	if (!error)
		*ret_frame = *known;
	return error;
}

static int add_stack(struct row_stacks *stacks, uint32_t leaf, size_t *count)
{
	size_t depth = 0;
	int error = 0;

	for (uint32_t at = leaf; at != NO_INDEX;
	     at = (uint32_t)tuple_set__at(stacks->tables->shown, at)[0])
		depth++;
	*count += depth;
	for (uint32_t at = leaf, to = (uint32_t)*count; at != NO_INDEX && !error;
	     at = (uint32_t)tuple_set__at(stacks->tables->shown, at)[0])
		error = add_shown(stacks, at, &stacks->path[--to]);
	return error;
}

static int add_key_frame(struct row_stacks *stacks, const struct query_row *row, size_t number,
			 size_t *count)
{
	size_t position = stacks->frame_keys[number];
	const struct key *key = query__request(stacks->query)->keys[position];
	uint64_t value = query__value(stacks->query, row, position);
	bool special = value == VALUE_UNKNOWN || value == VALUE_NOT_SAMPLED;
	bool item = stacks->has_item && number == stacks->frame_key_count - 1;
	uint32_t *frame = &stacks->path[*count];
	char *label = NULL, *text = NULL;
	int error;

	if (key->choice == FRAME_SAMPLED && key->scope == SCOPE_NODE && !special)
		return add_stack(stacks, (uint32_t)value, count);
	(*count)++;
	if (key == key__find("function") && !special)
		return add_frame(stacks, (const uint64_t[]){false, value, NO_INDEX},
				 stacks->tables->functions[value].name, frame);
	error = key_label(stacks, row, position, &label);
	if (error || !item)
		return error ? error : add_text(stacks, label, frame);
	if (asprintf(&text, "[%s]", label) < 0)
		text = NULL;
	free(label);
	return add_text(stacks, text, frame);
}

int row_stacks__frames(struct row_stacks *stacks, size_t position, const uint32_t **ret_frames,
		       size_t *ret_count)
{
	const struct query_row *row = row_stacks__row(stacks, position);
	size_t count = 0;
	int error = 0;

	for (size_t i = 0; i < stacks->frame_key_count && !error; i++)
		error = add_key_frame(stacks, row, i, &count);
	if (error)
		return error;
	*ret_frames = stacks->path;
	*ret_count = count;
	return 0;
}

size_t row_stacks__frame_count(const struct row_stacks *stacks)
{
	return tuple_set__count(stacks->frame_set);
}

struct stack_frame row_stacks__frame(const struct row_stacks *stacks, uint32_t frame)
{
	const uint64_t *values = tuple_set__at(stacks->frame_set, frame);
	const struct table_function *function;
	struct stack_frame found = {
		.label = stacks->labels[frame], .function = NO_INDEX, .line = NO_VALUE};

	if (values[FRAME_KIND] == FRAME_TEXT) {
		found.name = found.label;
		return found;
	}
	found.function = (uint32_t)values[FRAME_WHAT];
	function = &stacks->tables->functions[found.function];
	found.name = function->name;
	found.file = function->file ? function->file : function->module;
	if (values[FRAME_LINE] != NO_INDEX)
		found.line = (int64_t)tuple_set__at(stacks->tables->lines,
						    (uint32_t)values[FRAME_LINE])[1];
	return found;
}
