// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/places.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* Per node, the nearest frame outwards (the node itself included) with a property. */
struct nearest {
	uint32_t *owner; /* whose own figure a sample is */
	uint32_t *lined; /* that has a line; NO_INDEX */
	uint32_t *root; /* the outermost frame */
	uint32_t *subtask; /* NO_INDEX: none */
};

static enum function_kind kind_of(const struct tables *tables, uint32_t node)
{
	return tables->functions[tables->nodes[node].function].kind;
}

/* The interpreter's own code belongs to whom it runs for, mostly a Python function. Where nothing
 * is outside of it (the interpreter starts), it keeps its samples. */
static void find_owners(const struct tables *tables, uint32_t *owner)
{
	for (uint32_t i = 0; i < tables->node_count; i++) {
		uint32_t parent = tables->nodes[i].parent;

		owner[i] = i;
		if (kind_of(tables, i) == FUNCTION_INTERPRETER && parent != NO_INDEX &&
		    kind_of(tables, owner[parent]) != FUNCTION_INTERPRETER)
			owner[i] = owner[parent];
	}
}

/* Native code, too, belongs to the Python function that called it. */
static void fold_native(const struct tables *tables, uint32_t *owner)
{
	for (uint32_t i = 0; i < tables->node_count; i++) {
		uint32_t parent = tables->nodes[i].parent;

		if (kind_of(tables, i) != FUNCTION_PYTHON && parent != NO_INDEX &&
		    kind_of(tables, owner[parent]) == FUNCTION_PYTHON)
			owner[i] = owner[parent];
	}
}

/* Lines of code that belongs to another frame do not count: the interpreter's own, with debug
 * information, would hide those of Python. */
static void find_lined(const struct tables *tables, const uint32_t *owner, uint32_t *lined)
{
	for (uint32_t i = 0; i < tables->node_count; i++) {
		const struct table_node *node = &tables->nodes[i];

		if (node->line != NO_INDEX && owner[i] == i)
			lined[i] = i;
		else
			lined[i] = node->parent == NO_INDEX ? NO_INDEX : lined[node->parent];
	}
}

static void find_roots(const struct tables *tables, uint32_t *root)
{
	for (uint32_t i = 0; i < tables->node_count; i++) {
		uint32_t parent = tables->nodes[i].parent;

		root[i] = parent == NO_INDEX ? i : root[parent];
	}
}

static void find_subtasks(const struct tables *tables, uint32_t *subtask)
{
	for (uint32_t i = 0; i < tables->node_count; i++) {
		uint32_t parent = tables->nodes[i].parent;

		if (kind_of(tables, i) == FUNCTION_SUBTASK)
			subtask[i] = i;
		else
			subtask[i] = parent == NO_INDEX ? NO_INDEX : subtask[parent];
	}
}

static uint64_t node_value(const struct tables *tables, const struct key *key,
			   const struct nearest *nearest, uint32_t node)
{
	uint32_t frame = node;

	if (key->choice == FRAME_OWNER)
		frame = nearest->owner[node];
	else if (key->choice == FRAME_LINED)
		frame = nearest->lined[node];
	else if (key->choice == FRAME_OUTERMOST)
		frame = nearest->root[node];
	else if (key->choice == FRAME_SUBTASK)
		frame = nearest->subtask[node];
	return frame == NO_INDEX ? VALUE_UNKNOWN : key->value(tables, frame);
}

static int add_special(struct places *places, uint64_t value, uint32_t *ret_place)
{
	uint64_t values[QUERY_MAX_KEYS];

	for (size_t i = 0; i < places->width; i++)
		values[i] = value;
	return tuple_set__add(places->tuples, values, ret_place);
}

/* A function counts once per stack, however often it is on it: where it is outermost. */
static bool is_outermost(const struct tables *tables, const uint32_t *place, uint32_t node)
{
	for (uint32_t i = tables->nodes[node].parent; i != NO_INDEX; i = tables->nodes[i].parent)
		if (place[i] == place[node])
			return false;
	return true;
}

static int fill_places(struct tables *tables, const struct key *const *keys,
		       const struct nearest *nearest, struct places *places)
{
	bool only_lines = true, only_subtasks = true;
	uint64_t values[QUERY_MAX_KEYS];
	int error;

	for (size_t i = 0; i < places->width; i++) {
		only_lines = only_lines && keys[i]->choice == FRAME_LINED;
		only_subtasks = only_subtasks && keys[i]->choice == FRAME_SUBTASK;
	}
	for (uint32_t node = 0; node < tables->node_count; node++) {
		for (size_t i = 0; i < places->width; i++)
			values[i] = node_value(tables, keys[i], nearest, node);
		error = tuple_set__add(places->tuples, values, &places->of_node[node]);
		if (error)
			return error;
		/* "(no line)" is no place that could call something. */
		if (places->totals && (!only_lines || nearest->lined[node] != NO_INDEX) &&
		    (!only_subtasks || nearest->subtask[node] != NO_INDEX))
			places->counted[node] = is_outermost(tables, places->of_node, node);
	}
	error = add_special(places, VALUE_UNKNOWN, &places->unknown);
	if (!error)
		error = add_special(places, VALUE_NOT_SAMPLED, &places->not_sampled);
	return error;
}

/* Which filters found a match on the path to each node: one bit each. */
static int fill_passes(const struct tables *tables, const struct query_request *request,
		       struct places *places)
{
	_cleanup_free_ uint32_t *found = calloc(tables->node_count + 1, sizeof(*found));
	uint32_t all = 0;

	places->unknown_passes = places->not_sampled_passes = true;
	for (size_t f = 0; f < request->filter_count; f++) {
		const struct query_filter *filter = &request->filters[f];

		if (filter->key->scope != SCOPE_NODE)
			continue;
		all |= 1U << f;
		places->unknown_passes &=
			filter->key->matches(tables, VALUE_UNKNOWN, filter->pattern);
		places->not_sampled_passes &=
			filter->key->matches(tables, VALUE_NOT_SAMPLED, filter->pattern);
	}
	if (!all)
		return 0;
	places->passes = calloc(tables->node_count + 1, sizeof(*places->passes));
	if (!found || !places->passes)
		return -ENOMEM;
	for (uint32_t node = 0; node < tables->node_count; node++) {
		uint32_t parent = tables->nodes[node].parent;

		found[node] = parent == NO_INDEX ? 0 : found[parent];
		for (size_t f = 0; f < request->filter_count; f++) {
			const struct query_filter *filter = &request->filters[f];
			uint64_t value;

			if (!(all & ~found[node] & (1U << f)))
				continue;
			value = filter->key->value(tables, node);
			if (value != VALUE_UNKNOWN &&
			    filter->key->matches(tables, value, filter->pattern))
				found[node] |= 1U << f;
		}
		places->passes[node] = found[node] == all;
	}
	return 0;
}

int places__build(struct tables *tables, const struct query_request *request,
		  struct places *ret_places)
{
	struct places places = {.totals = true};
	const struct key *keys[QUERY_MAX_KEYS];
	struct nearest nearest = {0};
	bool whole_stacks = false;
	int error = -ENOMEM;

	for (size_t i = 0; i < request->key_count; i++) {
		if (request->keys[i]->scope != SCOPE_NODE)
			continue;
		places.totals = places.totals && request->keys[i]->totals;
		whole_stacks |= request->keys[i]->choice == FRAME_SAMPLED;
		keys[places.width++] = request->keys[i];
	}
	places.totals = places.totals && places.width;
	places.of_node = calloc(tables->node_count + 1, sizeof(*places.of_node));
	places.counted = calloc(tables->node_count + 1, sizeof(*places.counted));
	nearest.owner = calloc(tables->node_count + 1, sizeof(*nearest.owner));
	nearest.lined = calloc(tables->node_count + 1, sizeof(*nearest.lined));
	nearest.root = calloc(tables->node_count + 1, sizeof(*nearest.root));
	nearest.subtask = calloc(tables->node_count + 1, sizeof(*nearest.subtask));
	if (!places.of_node || !places.counted || !nearest.owner || !nearest.lined ||
	    !nearest.root || !nearest.subtask)
		goto cleanup;
	error = fill_passes(tables, request, &places);
	if (error || !places.width)
		goto cleanup;
	places.tuples = tuple_set__new(places.width);
	error = places.tuples ? 0 : -ENOMEM;
	if (!error && whole_stacks)
		error = tables__shown_stacks(tables);
	if (error)
		goto cleanup;
	find_owners(tables, nearest.owner);
	if (request->fold == FOLD_NATIVE)
		fold_native(tables, nearest.owner);
	find_lined(tables, nearest.owner, nearest.lined);
	find_roots(tables, nearest.root);
	find_subtasks(tables, nearest.subtask);
	error = fill_places(tables, keys, &nearest, &places);
cleanup:
	free(nearest.owner);
	free(nearest.lined);
	free(nearest.root);
	free(nearest.subtask);
	if (error)
		places__clear(&places);
	else
		*ret_places = places;
	return error;
}

void places__clear(struct places *places)
{
	tuple_set__free(places->tuples);
	free(places->of_node);
	free(places->counted);
	free(places->passes);
	*places = (struct places){0};
}
