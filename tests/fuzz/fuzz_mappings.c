// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
/* Any bytes as /proc/PID/maps: read, then its mappings added to a shared copy of the set. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/strings.h"
#include "proc/mappings.h"

#define MOST_ADDED 64

static void require(int condition)
{
	if (!condition)
		abort();
}

/* Sorted, disjoint, and found by every address at an edge. */
static void check(const struct mapping_set *set)
{
	size_t count = mapping_set__count(set);

	for (size_t i = 0; i < count; i++) {
		const struct mapping *one = mapping_set__at(set, i);
		const struct mapping *next = i + 1 < count ? mapping_set__at(set, i + 1) : NULL;

		require(one->start < one->end && one->file.path);
		require(!next || one->end <= next->start);
		require(mapping_set__find(set, one->start) == one);
		require(mapping_set__find(set, one->end - 1) == one);
		require(mapping_set__find(set, one->end) ==
			(next && next->start == one->end ? next : NULL));
		require(!i ||
			mapping_set__find(set, one->start - 1) ==
				(mapping_set__at(set, i - 1)->end == one->start ? one - 1 : NULL));
	}
}

/* Over the edges of those that are there: the new one is whole, what lay outside it unchanged. */
static void add_over(struct mapping_set **set, const struct mapping *one, uint64_t since_ns)
{
	struct mapping wide = *one;
	const struct mapping *found;
	uint64_t quarter = (one->end - one->start) / 4;

	wide.start += quarter;
	if (wide.end <= UINT64_MAX - quarter)
		wide.end += quarter;
	wide.since_ns = since_ns;
	require(!mapping_set__add(set, &wide));
	check(*set);
	found = mapping_set__find(*set, wide.start);
	require(found && found->start == wide.start && found->end == wide.end &&
		found->since_ns == since_ns);
	found = quarter ? mapping_set__find(*set, one->start) : NULL;
	require(!quarter || !found || found->end <= wide.start);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct string_pool *pool = string_pool__new();
	struct mapping_set *set, *copy;
	char *text = malloc(size + 1);

	require(pool && text);
	memcpy(text, bytes, size);
	text[size] = '\0';
	if (!mapping_set__parse(text, pool, &set)) {
		size_t count = mapping_set__count(set);

		check(set);
		copy = mapping_set__ref(set);
		for (size_t i = 0; i < count && i < MOST_ADDED; i++)
			add_over(&copy, mapping_set__at(set, i), i + 1);
		require(mapping_set__count(set) == count);
		check(set);
		/* Those of the set, and what is left of them, are of no age. */
		require(!mapping_set__drop_before(&copy, 1));
		check(copy);
		for (size_t i = 0; i < mapping_set__count(copy); i++)
			require(mapping_set__at(copy, i)->since_ns);
		mapping_set__unref(copy);
		mapping_set__unref(set);
	}
	free(text);
	string_pool__free(pool);
	return 0;
}
