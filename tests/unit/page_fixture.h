/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data of the HTML page of a recording, for tests. Included behind fixture.h. */
#ifndef UNIT_PAGE_FIXTURE_H
#define UNIT_PAGE_FIXTURE_H

#include <jansson.h>

#include "report/page_json.h"

static inline json_t *page_of(struct fixture *fixture, const struct page_limits *limits)
{
	struct summary *summary = NULL;
	struct page_data *data = NULL;
	struct page_text text = {0};
	json_error_t problem;
	json_t *root;

	assert_int_equal(summary__load(fixture->tables, &summary), 0);
	assert_int_equal(page_data__new(fixture->tables, limits, &data), 0);
	assert_int_equal(page_json__make(fixture->tables, summary, data, &text), 0);
	for (size_t i = 0; i < text.size; i++)
		assert_true(text.bytes[i] == '\n' ||
			    ((unsigned char)text.bytes[i] >= ' ' && !strchr("<>&", text.bytes[i])));
	root = json_loadb(text.bytes, text.size, JSON_REJECT_DUPLICATES, &problem);
	if (!root)
		fail_msg("%s: %s", problem.text, text.bytes);
	free(text.bytes);
	page_data__free(data);
	summary__free(summary);
	return root;
}

static inline double number_at(const json_t *list, size_t index)
{
	return json_number_value(json_array_get(list, index));
}

/* Of every `width`-th number, from the first `from` on. */
static inline double sum_of(const json_t *root, const char *name, size_t width, size_t from)
{
	const json_t *list = json_object_get(root, name);
	double sum = 0;

	assert_int_equal(json_array_size(list) % width, 0);
	for (size_t i = from; i < json_array_size(list); i += width)
		sum += number_at(list, i);
	return sum;
}

/* What the samples of a source and share stand for, in all. */
static inline double sampled(const json_t *root, int source, int share)
{
	const json_t *pools = json_object_get(root, "pools");
	const json_t *rows = json_object_get(root, "sampled");
	static const size_t factors_of[SOURCE_COUNT] = {1, 1, 3, 3, 5};
	double sum = 0, factor[64][SHARE_COUNT] = {{0}};
	int sources[64] = {0};
	size_t count = 0, keys[5] = {0};

	for (size_t at = 0; at < json_array_size(pools); count++) {
		size_t factors;

		assert_true(count < 64);
		sources[count] = (int)number_at(pools, at);
		factors = factors_of[sources[count]];
		for (size_t i = 0; i < factors; i++)
			factor[count][i] = number_at(pools, at + 3 + i);
		at += 3 + factors;
	}
	for (size_t row = 0; row < json_array_size(rows); row += 7) {
		bool same = row > 0;

		for (size_t key = 0; key < 5; key++) {
			size_t step = (size_t)number_at(rows, row + key);

			keys[key] = same ? keys[key] + step : step;
			same = same && !step;
		}
		if (sources[keys[0]] == source && (int)keys[1] == share)
			sum += number_at(rows, row + 6) * factor[keys[0]][keys[1]];
	}
	return sum;
}

static inline void assert_near(double one, double other)
{
	if (one < other * (1 - 1e-9) - 1e-3 || one > other * (1 + 1e-9) + 1e-3)
		fail_msg("%.9g is not %.9g", one, other);
}

#endif
