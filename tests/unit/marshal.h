/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reader of pstats files, of as much of Python's module marshal as they need. */
#ifndef TESTS_MARSHAL_H
#define TESTS_MARSHAL_H

#include "unit/exported.h"

struct marshal {
	const char *at, *end;
	double own; /* sum of the third figures */
	size_t entries, callers;
	char *names; /* of all functions, a line each, or NULL */
	size_t names_size;
	FILE *names_stream;
};

static inline uint32_t marshal_u32(struct marshal *marshal)
{
	uint32_t value;

	assert_true(marshal->end - marshal->at >= 4);
	memcpy(&value, marshal->at, 4);
	marshal->at += 4;
	return value;
}

static inline void expect_type(struct marshal *marshal, char type)
{
	assert_true(marshal->at < marshal->end);
	assert_int_equal(*marshal->at++, type);
}

static inline int64_t marshal_integer(struct marshal *marshal)
{
	expect_type(marshal, 'i');
	return marshal_u32(marshal);
}

static inline double marshal_real(struct marshal *marshal)
{
	double value;

	expect_type(marshal, 'g');
	assert_true(marshal->end - marshal->at >= 8);
	memcpy(&value, marshal->at, 8);
	marshal->at += 8;
	return value;
}

static inline void marshal_text(struct marshal *marshal, char ending)
{
	uint32_t size;

	expect_type(marshal, 'u');
	size = marshal_u32(marshal);
	assert_true((size_t)(marshal->end - marshal->at) >= size);
	fprintf(marshal->names_stream, "%.*s%c", (int)size, marshal->at, ending);
	marshal->at += size;
}

static inline void marshal_identity(struct marshal *marshal)
{
	expect_type(marshal, '(');
	assert_int_equal(marshal_u32(marshal), 3);
	marshal_text(marshal, ':');
	fprintf(marshal->names_stream, "%lld:", (long long)marshal_integer(marshal));
	marshal_text(marshal, '\n');
}

static inline double marshal_figures(struct marshal *marshal, uint32_t width)
{
	double own, total;

	expect_type(marshal, '(');
	assert_int_equal(marshal_u32(marshal), width);
	assert_int_equal(marshal_integer(marshal), marshal_integer(marshal));
	own = marshal_real(marshal);
	total = marshal_real(marshal);
	assert_true(total >= own - 1e-9);
	return own;
}

static inline void marshal_read(struct marshal *marshal, const struct printed *printed)
{
	*marshal = (struct marshal){.at = printed->text, .end = printed->text + printed->size};
	marshal->names_stream = open_memstream(&marshal->names, &marshal->names_size);
	assert_non_null(marshal->names_stream);
	expect_type(marshal, '{');
	while (*marshal->at != '0') {
		marshal_identity(marshal);
		marshal->own += marshal_figures(marshal, 5);
		marshal->entries++;
		expect_type(marshal, '{');
		for (; *marshal->at != '0'; marshal->callers++) {
			marshal_identity(marshal);
			marshal_figures(marshal, 4);
		}
		marshal->at++;
	}
	marshal->at++;
	assert_ptr_equal(marshal->at, marshal->end);
	assert_int_equal(fclose(marshal->names_stream), 0);
}

#endif
