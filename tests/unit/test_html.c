// SPDX-License-Identifier: GPL-2.0-or-later
// Links: report model store symbols base
#include "unit/fixture.h"

#include <zlib.h>

#include "report/html.h"
#include "report/json_stream.h"
#include "report/packing.h"
#include "report/page_fit.h"
#include "report/page_json.h"
#include "unit/page_fixture.h"

static const struct page_limits no_limits = {
	.buckets = 1000, .processes = 1000, .files = 1000, .quanta = 1000, .name_bytes = 8192};

static char *text_of(const char *text, size_t most)
{
	char *written = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&written, &size);

	assert_non_null(stream);
	assert_int_equal(json_stream__text(stream, text, most), 0);
	assert_int_equal(fclose(stream), 0);
	return written;
}

static void test_text(void **state)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{"plain", "\"plain\""},
		{"a \"quote\" and \\", "\"a \\\"quote\\\" and \\\\\""},
		{"</script><!--&", "\"\\u003c/script\\u003e\\u003c!--\\u0026\""},
		{"line\nfeed\x1b", "\"line\\\\x0afeed\\\\x1b\""},
		{"\xe2\x80\xa8 \xe2\x80\xae", "\"\\\\u{2028} \\\\u{202e}\""},
		{"bad \xff\xc3", "\"bad \\\\xff\\\\xc3\""},
		{"\xc3\xa9", "\"\xc3\xa9\""},
		{NULL, "null"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *written = text_of(cases[i].text, 1000);

		assert_string_equal(written, cases[i].written);
		free(written);
	}
}

/* Neither part of a long name ends within a character. */
static void test_long_text(void **state)
{
	char name[4001] = "";

	(void)state;
	for (size_t i = 0; i < 2000; i++)
		memcpy(name + 2 * i, "\xc3\xa9", 3);
	for (size_t most = 16; most < 40; most++) {
		char *written = text_of(name, most);
		json_t *value = json_loads(written, JSON_DECODE_ANY, NULL);

		assert_non_null(value);
		assert_true(json_string_length(value) <= most + 3);
		assert_true(json_string_length(value) >= most - 2);
		assert_non_null(strstr(json_string_value(value), "\u2026"));
		json_decref(value);
		free(written);
	}
}

static void test_rows(void **state)
{
	struct page_rows rows = {0};
	char *written = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&written, &size);

	(void)state;
	assert_int_equal(page_rows__add(&rows, &(struct page_row){{7, 5}, {1.5}}), 0);
	assert_int_equal(page_rows__add(&rows, &(struct page_row){{4, 9}, {2}}), 0);
	assert_int_equal(page_rows__add(&rows, &(struct page_row){{4, 3}, {1e18}}), 0);
	assert_int_equal(page_rows__add(&rows, &(struct page_row){{4, 9}, {40}}), 0);
	page_rows__merge(&rows);
	json_stream__rows(stream, &rows, 2, 1);
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(written, "[4,3,1000000000000000000,0,6,42,3,5,1.5]");
	free(written);
	page_rows__clear(&rows);
}

struct totals {
	double cpu_ns, waited_ns, io_ns, io_bytes, ops;
};

static struct totals totals_of(const struct tables *tables)
{
	struct totals totals = {0};

	for (size_t i = 0; i < tables->usage_count; i++)
		totals.cpu_ns += (double)tables->usage[i].cpu_ns;
	for (size_t i = 0; i < tables->wait_count; i++)
		totals.waited_ns += tables->waits[i].ns;
	for (size_t i = 0; i < tables->io_count; i++) {
		totals.io_ns += (double)tables->io[i].ns;
		totals.io_bytes += (double)tables->io[i].bytes;
		totals.ops += (double)tables->io[i].count;
	}
	return totals;
}

/* Whatever is put together: nothing is lost, nothing twice. */
static void test_totals(void **state)
{
	static const struct page_limits limits[] = {
		{.buckets = 1000,
		 .processes = 1000,
		 .files = 1000,
		 .quanta = 1000,
		 .name_bytes = 8192},
		{.buckets = 1, .processes = 1000, .files = 1000, .quanta = 1000, .name_bytes = 16},
		{.buckets = 2, .processes = 1, .files = 1, .name_bytes = 64},
		{.buckets = 1, .processes = 0, .files = 0, .name_bytes = 64, .stack_floor = 0.2},
		{.buckets = 1, .processes = 2, .files = 3, .name_bytes = 64, .stack_floor = 2},
	};
	struct fixture fixture;
	struct totals totals;

	(void)state;
	fixture__open_events(&fixture);
	totals = totals_of(fixture.tables);
	assert_true(totals.cpu_ns > 0 && totals.waited_ns > 0 && totals.io_bytes > 0);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		json_t *root = page_of(&fixture, &limits[i]);

		assert_near(sum_of(root, "usage", 3, 2), totals.cpu_ns);
		assert_near(sum_of(root, "waits", 5, 4), totals.waited_ns);
		assert_near(sum_of(root, "io", 7, 4), totals.ops);
		assert_near(sum_of(root, "io", 7, 5), totals.io_bytes);
		assert_near(sum_of(root, "io", 7, 6), totals.io_ns);
		assert_near(sampled(root, SOURCE_CPU, SHARE_TIME), totals.cpu_ns);
		assert_near(sampled(root, SOURCE_OFFCPU, SHARE_TIME), totals.waited_ns);
		assert_near(sampled(root, SOURCE_IO, SHARE_TIME), totals.io_ns);
		assert_near(sampled(root, SOURCE_IO, SHARE_BYTES), totals.io_bytes);
		assert_near(sampled(root, SOURCE_IO, SHARE_OPS), totals.ops);
		json_decref(root);
	}
	fixture__close(&fixture);
}

static void test_whole(void **state)
{
	struct fixture fixture;
	json_int_t processes, files, stacks;
	json_t *root, *epochs;

	(void)state;
	fixture__open_events(&fixture);
	root = page_of(&fixture, &no_limits);
	assert_int_equal(json_unpack(root, "{s:{s:I, s:I, s:I}}", "folded", "processes", &processes,
				     "files", &files, "stacks", &stacks),
			 0);
	assert_true(processes == 0 && files == 0 && stacks == 0);
	assert_int_equal(json_array_size(json_object_get(root, "processes")), 4);
	epochs = json_object_get(root, "epochs");
	assert_int_equal(json_array_size(epochs), 4);
	/* From the start of the recording to its end, whenever it began: 2 s. */
	assert_near(number_at(json_array_get(epochs, 0), 4), 0);
	assert_near(number_at(json_array_get(epochs, 0), 6), 2e9);
	assert_int_equal(json_array_size(json_object_get(root, "bucket_ends")), 2);
	/* Of 11 nodes, all that a sample lies in or below. */
	assert_int_equal(json_array_size(json_object_get(root, "nodes")), 11 * 3);
	json_decref(root);
	fixture__close(&fixture);
}

static void test_folded(void **state)
{
	static const struct page_limits limits = {
		.buckets = 1, .processes = 1, .files = 1, .name_bytes = 16, .stack_floor = 0.3};
	json_int_t processes, files, stacks, names;
	struct fixture fixture;
	size_t others = 0, counted = 0;
	json_t *root, *list, *one;
	size_t i;

	(void)state;
	fixture__open_events(&fixture);
	root = page_of(&fixture, &limits);
	assert_int_equal(json_unpack(root, "{s:{s:I, s:I, s:I, s:I}}", "folded", "processes",
				     &processes, "files", &files, "stacks", &stacks, "names",
				     &names),
			 0);
	assert_int_equal(processes, 3);
	assert_int_equal(files, 3);
	assert_true(stacks > 0 && names > 0);
	json_array_foreach(json_object_get(root, "processes"), i, one)
	{
		counted += (size_t)number_at(one, 0);
		others += json_array_size(one) == 1;
	}
	assert_int_equal(counted, 4);
	assert_true(others >= 1);
	list = json_object_get(root, "nodes");
	for (i = 1, others = 0; i < json_array_size(list); i += 3)
		others += number_at(list, i) < 0;
	assert_true(others > 0);
	json_decref(root);
	fixture__close(&fixture);
}

/* Names of a hostile process in every place that holds one. */
static void test_hostile(void **state)
{
	static const char change[] =
		"UPDATE epoch SET task = '</script><script>alert(1)</script>';"
		"UPDATE process SET python = '<b>';"
		"UPDATE image SET comm = CAST(x'ff3c2f7363726970743e' AS TEXT),"
		" arguments = '[\"a\\nb\",\"<!--\"]';"
		"UPDATE function SET name = '<' || name || char(10) || char(8232);"
		"UPDATE ending SET meaning = '<i>';UPDATE quality SET meaning = '\"&lt;';"
		"UPDATE meta SET value = '</script>' WHERE key = 'node';";
	struct fixture fixture;
	const char *node;
	json_t *root;

	(void)state;
	fixture__open_with(&fixture, change);
	root = page_of(&fixture, &no_limits); /* looks for what must not be there */
	assert_int_equal(json_unpack(root, "{s:{s:s}}", "meta", "node", &node), 0);
	assert_string_equal(node, "</script>");
	json_decref(root);
	fixture__close(&fixture);
}

/* The largest numbers that a recording may hold, and times that go backwards. */
static void test_extreme(void **state)
{
	static const char change[] =
		"UPDATE slice SET start_ns = (1 << 61), end_ns = -(1 << 61) WHERE id = 1;"
		"UPDATE slice SET end_ns = (1 << 61) WHERE id = 2;"
		"UPDATE meta SET value = (1 << 61) WHERE key = 'stop_ns';"
		"UPDATE epoch SET start_ns = -(1 << 61), end_ns = (1 << 61) WHERE id = 1;"
		"UPDATE epoch SET start_ns = (1 << 61), end_ns = -(1 << 61) WHERE id = 2;"
		"UPDATE usage SET cpu_ns = (1 << 61), user_ns = (1 << 61);"
		"UPDATE wait SET count = (1 << 61), ns = (1 << 61);"
		"UPDATE io SET count = (1 << 61), bytes = (1 << 61), ns = (1 << 61), error = 4095;"
		"UPDATE io_histogram SET count = (1 << 61);"
		"UPDATE process SET max_rss_bytes = 9223372036854775807, exit_code = -2147483648;"
		"UPDATE frame SET line = 2147483647;UPDATE sample SET count = 2147483647;";
	static const struct page_limits few = {.buckets = 1, .name_bytes = 16, .stack_floor = 0.5};
	const struct page_limits *limits[] = {&no_limits, &few};
	struct fixture fixture;
	struct totals totals;

	(void)state;
	fixture__create(&fixture, fixture_rows, fixture_events);
	fixture__execute(fixture.path, change);
	assert_int_equal(fixture__load(&fixture), 0);
	totals = totals_of(fixture.tables);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		json_t *root = page_of(&fixture, limits[i]);

		assert_near(sum_of(root, "usage", 3, 2), totals.cpu_ns);
		assert_near(sum_of(root, "io", 7, 5), totals.io_bytes);
		json_decref(root);
	}
	fixture__close(&fixture);
}

/* A recording that was cut off at its start holds nothing. */
static void test_empty(void **state)
{
	struct fixture fixture;
	json_t *root;

	(void)state;
	fixture__create(&fixture, "INSERT INTO meta VALUES ('state','recording')", NULL);
	assert_int_equal(fixture__load(&fixture), 0);
	root = page_of(&fixture, &no_limits);
	assert_true(json_is_false(json_object_get(root, "complete")));
	assert_int_equal(json_array_size(json_object_get(root, "bucket_ends")), 0);
	json_decref(root);
	fixture__close(&fixture);
}

static size_t decode_base64(const char *text, unsigned char *bytes)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	size_t size = 0, bits = 0;
	unsigned int held = 0;

	for (; *text && *text != '='; text++) {
		const char *at = strchr(letters, *text);

		assert_non_null(at);
		held = held << 6 | (unsigned int)(at - letters);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[size++] = (unsigned char)(held >> bits);
		}
	}
	return size;
}

static void test_packing(void **state)
{
	(void)state;
	for (size_t size = 0; size < 600; size++) {
		unsigned char bytes[2048], back[700];
		char original[600], *packed = NULL;
		z_stream zip = {0};
		size_t packed_size = 0;

		for (size_t i = 0; i < size; i++)
			original[i] = (char)(i * i % 251);
		assert_int_equal(packing__pack(original, size, &packed, &packed_size), 0);
		assert_int_equal(strlen(packed), packed_size);
		assert_int_equal(packed_size % 4, 0);
		zip.next_in = bytes;
		zip.avail_in = (uInt)decode_base64(packed, bytes);
		zip.next_out = back;
		zip.avail_out = sizeof(back);
		assert_int_equal(inflateInit2(&zip, 15 + 16), Z_OK);
		assert_int_equal(inflate(&zip, Z_FINISH), Z_STREAM_END);
		assert_int_equal(zip.total_out, size);
		assert_memory_equal(back, original, size);
		inflateEnd(&zip);
		free(packed);
	}
}

/* Names, processes, files and slices that do not let themselves be packed. */
static const char many_rows[] =
	"DELETE FROM slice;"
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)"
	" INSERT INTO slice SELECT i, (i - 1) * 5000000, i * 5000000 FROM n;"
	"WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 900)"
	" INSERT INTO process SELECT i, NULL, i, 0, NULL, NULL, NULL, 9, 9, 0, i, NULL FROM n;"
	"INSERT INTO epoch SELECT id, id, 1, 0, NULL, hex(randomblob(40)), NULL, NULL"
	" FROM process WHERE id >= 100;"
	"INSERT INTO usage SELECT e.id, s.id, abs(random() % 1000000), 1, 1"
	" FROM epoch e, slice s WHERE e.id >= 100 AND (e.id + s.id) % 10 = 0;"
	"WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
	" INSERT INTO function SELECT i, 'native', hex(randomblob(400)), NULL, NULL, 'm' FROM n;"
	"INSERT INTO frame SELECT id, id, NULL, NULL FROM function WHERE id >= 100;"
	"INSERT INTO stack SELECT id, NULL, id FROM frame WHERE id >= 100;" INTO_SAMPLE
	"SELECT 100 + id % 700, 1, 1 + id % 400, id, 'python', 'cpu', NULL, 1, "
	"0, NULL"
	" FROM stack WHERE id >= 100;";

static void test_size(void **state)
{
	size_t free_size = 0, whole = SIZE_MAX;
	struct summary *summary = NULL;
	struct fixture fixture;
	char *packed = NULL;

	(void)state;
	fixture__open_with(&fixture, many_rows);
	assert_int_equal(summary__load(fixture.tables, &summary), 0);
	assert_int_equal(page_fit__pack(fixture.tables, summary, SIZE_MAX, &packed, &free_size), 0);
	free(packed);
	assert_true(free_size > 500000);
	for (size_t most = 400000; most >= 100000; most /= 2) {
		size_t size = 0;

		assert_int_equal(page_fit__pack(fixture.tables, summary, most, &packed, &size), 0);
		assert_int_equal(strlen(packed), size);
		if (size > most)
			fail_msg("%zu bytes, not %zu", size, most);
		assert_true(size < whole);
		whole = size;
		free(packed);
	}
	summary__free(summary);
	fixture__close(&fixture);
}

static void test_page(void **state)
{
	struct summary *summary = NULL;
	struct fixture fixture;
	char *page = NULL;
	size_t size = 0;
	FILE *stream;

	(void)state;
	if (!html_report__available()) {
		print_message("SKIP: built without the page\n");
		skip();
	}
	fixture__open_events(&fixture);
	assert_int_equal(summary__load(fixture.tables, &summary), 0);
	stream = open_memstream(&page, &size);
	assert_int_equal(html_report__print(stream, fixture.tables, summary), 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(strncmp(page, "<!DOCTYPE html>", 15), 0);
	assert_non_null(strstr(page, "Content-Security-Policy"));
	assert_non_null(strstr(page, "Apache License"));
	assert_non_null(strstr(page, "ISC"));
	assert_null(strstr(page, "@PIPESCOPE-DATA@"));
	assert_null(strstr(page, "@PAGE-"));
	assert_true(size < HTML_MOST_BYTES);
	free(page);
	summary__free(summary);
	fixture__close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_rows),	cmocka_unit_test(test_totals),
		cmocka_unit_test(test_whole),	cmocka_unit_test(test_folded),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_extreme), cmocka_unit_test(test_packing),
		cmocka_unit_test(test_size),	cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
