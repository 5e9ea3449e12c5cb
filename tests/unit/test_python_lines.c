// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "python/lines.h"
#include "unit/python_interpreters.h"

#define MAX_TABLE 65536

#define TABLE(kind, first, ...)                                                                    \
	{                                                                                          \
		.bytes = (const uint8_t[]){__VA_ARGS__},                                           \
		.size = sizeof((const uint8_t[]){__VA_ARGS__}), .format = (kind),                  \
		.first_line = (first)                                                              \
	}

static void lnotab_by_hand(void **state)
{
	/* 6 bytes of line 10, 50 of line 11, 300 of line 12 + 127 + 33, then one back. */
	struct python_line_table table =
		TABLE(PYTHON_LINES_LNOTAB, 10, 6, 1, 50, 1, 255, 127, 45, 33, 2, 0xff);

	(void)state;
	assert_int_equal(python_lines__find(&table, 0), 10);
	assert_int_equal(python_lines__find(&table, 5), 10);
	assert_int_equal(python_lines__find(&table, 6), 11);
	assert_int_equal(python_lines__find(&table, 55), 11);
	assert_int_equal(python_lines__find(&table, 56), 12);
	assert_int_equal(python_lines__find(&table, 310), 12);
	assert_int_equal(python_lines__find(&table, 311), 139);
	assert_int_equal(python_lines__find(&table, 356), 172);
	assert_int_equal(python_lines__find(&table, 358), 171);
	assert_int_equal(python_lines__find(&table, UINT32_MAX), 171);
	table.cut = true;
	assert_int_equal(python_lines__find(&table, 356), 172);
	assert_int_equal(python_lines__find(&table, 358), 0);
	table.size = 0;
	table.cut = false;
	assert_int_equal(python_lines__find(&table, 4), 10);
}

static void ranges_by_hand(void **state)
{
	/* Line 5 for 4 bytes, none for 6, line 6 for 2, an empty range to 106, line 96 for 8. */
	struct python_line_table table =
		TABLE(PYTHON_LINES_RANGES, 5, 4, 0, 6, 0x80, 2, 1, 0, 100, 8, 0xf6);

	(void)state;
	assert_int_equal(python_lines__find(&table, 0), 5);
	assert_int_equal(python_lines__find(&table, 3), 5);
	assert_int_equal(python_lines__find(&table, 4), 0);
	assert_int_equal(python_lines__find(&table, 9), 0);
	assert_int_equal(python_lines__find(&table, 10), 6);
	assert_int_equal(python_lines__find(&table, 12), 96);
	assert_int_equal(python_lines__find(&table, 19), 96);
	assert_int_equal(python_lines__find(&table, 20), 0);
	table.size--; /* half an entry is none */
	assert_int_equal(python_lines__find(&table, 12), 0);
}

static void locations_by_hand(void **state)
{
	/* One unit of the first line with columns; two units 2 lines further; three without a line;
	 * eight units 1000 lines further (0xd0 0x1f: 2000 in sixes); one 1001 back, long form. */
	struct python_line_table table = TABLE(PYTHON_LINES_LOCATIONS, 20, 0x80, 0x11, 0xe1, 1, 2,
					       0xfa, 0xef, 0x50, 0x1f, 0xf0, 0x53, 0x1f, 0, 1, 1);

	(void)state;
	assert_int_equal(python_lines__find(&table, 0), 20);
	assert_int_equal(python_lines__find(&table, 1), 20);
	assert_int_equal(python_lines__find(&table, 2), 22);
	assert_int_equal(python_lines__find(&table, 5), 22);
	assert_int_equal(python_lines__find(&table, 6), 0);
	assert_int_equal(python_lines__find(&table, 11), 0);
	assert_int_equal(python_lines__find(&table, 12), 1022);
	assert_int_equal(python_lines__find(&table, 27), 1022);
	assert_int_equal(python_lines__find(&table, 28), 21);
	assert_int_equal(python_lines__find(&table, 30), 0);
}

static void nonsense_has_no_line(void **state)
{
	struct python_line_table unfinished = TABLE(PYTHON_LINES_LOCATIONS, 20, 0xe8, 0x50);
	struct python_line_table endless =
		TABLE(PYTHON_LINES_LOCATIONS, 20, 0xe8, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
		      0x7f, 0x7f, 0x7f, 0x7f, 0x3f);
	struct python_line_table no_entry = TABLE(PYTHON_LINES_LOCATIONS, 20, 0x01, 0x80);
	struct python_line_table below_one = TABLE(PYTHON_LINES_RANGES, 5, 4, 0x90);
	struct python_line_table too_far = TABLE(PYTHON_LINES_LNOTAB, INT32_MAX, 0, 1);
	struct python_line_table unknown = TABLE(0, 20, 4, 0);

	(void)state;
	assert_int_equal(python_lines__find(&unfinished, 0), 0);
	assert_int_equal(python_lines__find(&endless, 0), 0);
	assert_int_equal(python_lines__find(&no_entry, 0), 0);
	assert_int_equal(python_lines__find(&below_one, 0), 0);
	assert_int_equal(python_lines__find(&too_far, 0), 0);
	assert_int_equal(python_lines__find(&unknown, 0), 0);
}

static enum python_line_format format_of(int minor)
{
	return minor < 10   ? PYTHON_LINES_LNOTAB
	       : minor < 11 ? PYTHON_LINES_RANGES
			    : PYTHON_LINES_LOCATIONS;
}

static size_t parse_hex(const char *hex, uint8_t *bytes)
{
	size_t size = 0;
	unsigned int byte;

	while (size < MAX_TABLE && sscanf(hex + 2 * size, "%2x", &byte) == 1)
		bytes[size++] = (uint8_t)byte;
	return size;
}

/* One line of the script; the number of code units compared. */
static long compare_code(char *line, enum python_line_format format)
{
	static uint8_t bytes[MAX_TABLE];
	struct python_line_table table = {.bytes = bytes, .format = format};
	char *word = strtok(line, " \n");
	uint32_t unit = 0;

	assert_non_null(word);
	table.first_line = (int32_t)strtol(word, NULL, 10);
	word = strtok(NULL, " \n");
	assert_non_null(word);
	table.size = parse_hex(word, bytes);
	while ((word = strtok(NULL, " \n"))) {
		long expected, units;

		assert_int_equal(sscanf(word, "%ld*%ld", &expected, &units), 2);
		for (long i = 0; i < units; i++, unit++)
			assert_int_equal(python_lines__find(&table, unit * 2), expected);
	}
	return unit;
}

static void compare_interpreter(const struct interpreter *interpreter)
{
	char script[PATH_MAX], shell[2 * PATH_MAX + 16], *line = NULL;
	long codes = 0, units = 0;
	size_t capacity = 0;
	FILE *pipe;

	script_path(__FILE__, "python_lines.py", script, sizeof(script));
	snprintf(shell, sizeof(shell), "exec %s '%s'", interpreter->command, script);
	pipe = popen(shell, "r");
	assert_non_null(pipe);
	while (getline(&line, &capacity, pipe) > 0) {
		units += compare_code(line, format_of(interpreter->minor));
		codes++;
	}
	free(line);
	assert_int_equal(pclose(pipe), 0);
	print_message("%ld code objects, %ld instructions agree with %s\n", codes, units,
		      interpreter->identity);
	assert_true(units > 10000);
}

static void as_the_interpreter_says(void **state)
{
	int minor = *(int *)*state, i = next_interpreter(minor, -1);

	if (i < 0) {
		print_message("SKIP: no CPython 3.%d here\n", minor);
		skip();
	}
	for (; i >= 0; i = next_interpreter(minor, i))
		compare_interpreter(&interpreters[i]);
}

int main(void)
{
	static int minors[] = {8, 9, 10, 11, 12, 13, 14};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lnotab_by_hand),
		cmocka_unit_test(ranges_by_hand),
		cmocka_unit_test(locations_by_hand),
		cmocka_unit_test(nonsense_has_no_line),
		cmocka_unit_test_prestate(as_the_interpreter_says, &minors[0]),
		cmocka_unit_test_prestate(as_the_interpreter_says, &minors[1]),
		cmocka_unit_test_prestate(as_the_interpreter_says, &minors[2]),
		cmocka_unit_test_prestate(as_the_interpreter_says, &minors[3]),
		cmocka_unit_test_prestate(as_the_interpreter_says, &minors[4]),
		cmocka_unit_test_prestate(as_the_interpreter_says, &minors[5]),
		cmocka_unit_test_prestate(as_the_interpreter_says, &minors[6]),
	};

	find_interpreters();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
