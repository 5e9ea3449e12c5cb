// SPDX-License-Identifier: GPL-2.0-or-later
// Links: report model store symbols base
/* What the HTML page gets of remotes, memory, CephFS, quanta and of how files are used. */
#include "unit/fixture.h"

#include <math.h>

#include "model/mem_levels.h"
#include "report/mem_shortage.h"
#include "unit/page_fixture.h"

/* Process 1 works at two quanta, epochs 4 and 5, the second one to the end. */
static const char rows[] =
	"UPDATE meta SET value = 'cpu,offcpu,io,mem,ceph,counters' WHERE key = 'sources';"
	"UPDATE epoch SET end_ns = 200000000 WHERE id = 1;"
	"INSERT INTO epoch VALUES (4,1,1,200000000,1200000000,'isr','j1','pipetask'),"
	" (5,1,1,1200000000,NULL,'isr','j1','pipetask');"
	"INSERT INTO quantum VALUES (4,1,'isr','lsst.Isr','id4','run','{}',1),"
	" (5,2,'isr','lsst.Isr','id5','run','{}',1);"
	"INSERT INTO quantum_data VALUES (4,'visit','12'),(5,'visit','</script>');"
	"INSERT INTO usage VALUES (4,1,100000000,70000000,30000000),(5,2,50000000,50000000,0);"
	"INSERT INTO resource (epoch, voluntary_switches, minor_faults, threads, rss_peak_bytes)"
	" VALUES (4,10,100,2,5000000),(5,NULL,50,1,6000000);"
	"INSERT INTO counter VALUES (4,'cycles',1000,200,100),(4,'instructions',3000,200,100);"
	"INSERT INTO file VALUES (10,'socket','tcp 10.0.0.1:5432','',''),"
	" (11,'socket','tcp 10.0.0.2:80','','');"
	"INSERT INTO remote VALUES (10,'tcp','10.0.0.1',5432,0,'registry','r'),"
	" (11,'tcp','10.0.0.2',80,1,NULL,NULL);"
	"INSERT INTO io VALUES (4,1,10,'read',0,3,300,4000000),(4,1,11,'write',0,1,100,1000);"
	"INSERT INTO wait_on VALUES (4,1,10,'socket',3,3000000),(5,2,1,'disk',1,7000000);"
	"INSERT INTO dataset VALUES (1,'raw','p'),(2,'calexp','p');"
	"INSERT INTO written VALUES (1,2,2,1,4096);"
	"INSERT INTO read_pattern VALUES (1,1,1,5,0,1,1000000,3,131072),"
	" (4,2,1,2,3,0,1000000,6,131072);"
	"INSERT INTO torn VALUES (2,2,'signal',9,0,100,200,1,1500000000,2000000000),"
	" (3,5,'exit',3,0,1,2,3,4,510000000),(2,1,'oom',9,1,1,2,3,4,2000000000);"
	"INSERT INTO memory VALUES (1,1,1000,300,0,7,20,5),(2,2,2000,0,50,0,10,0);"
	"INSERT INTO memory_growth VALUES (1,1,'anonymous',10,1000),(5,2,'file',2,300);"
	"INSERT INTO memory_event VALUES (1,1,'reclaim',2,4096),(4,2,'reclaim',1,8192),"
	" (2,2,'oom_kill',1,0),(3,1,'unheard of',7,7);"
	"INSERT INTO memory_map VALUES (1,1,'mapped',5,'python',3,3000,2,2000,3,3000),"
	" (2,4,'heap',9,'python',1,700,1,700,0,0);"
	"INSERT INTO ceph_mount VALUES (1,'/ceph/one'),(2,'/ceph/two');"
	"INSERT INTO ceph VALUES (1,1,1,'mds:lookup',0,6,0,6000000),"
	" (1,2,1,'mds:lookup',2,4,0,4000000),(5,1,2,'osd:read',0,2,8192,20000000),"
	" (1,1,1,'caps:wait',0,1,0,7000000);"
	"INSERT INTO ceph_histogram VALUES (1,'mds:lookup',19,10),(2,'osd:read',23,2);"
	"INSERT INTO ceph_in_flight VALUES (1,1,'mds:lookup',1,2000000000),"
	" (2,1,'mds:lookup',5,1000000000);" INTO_SAMPLE
	"VALUES (1,1,1,4,'python','ceph_ops','mds:lookup',9,9,NULL),"
	" (4,1,1,5,'python','rss_growth','anonymous',3,300,NULL),"
	" (1,1,1,5,'python','faults','anonymous',1,10,NULL);";

static const struct page_limits limits[] = {
	{.buckets = 1000,
	 .processes = 1000,
	 .files = 1000,
	 .quanta = 1000,
	 .name_bytes = 8192,
	 .sample_files = PAGE_SAMPLES_BY_FILE},
	{.buckets = 1,
	 .processes = 1000,
	 .files = 2,
	 .quanta = 1,
	 .name_bytes = 16,
	 .sample_files = PAGE_SAMPLES_BY_MOUNT},
	{.buckets = 2, .processes = 1000, .files = 1000, .quanta = 0, .name_bytes = 8192},
	{.buckets = 1, .processes = 0, .files = 0, .name_bytes = 64, .stack_floor = 0.2},
};

static void open_rows(struct fixture *fixture)
{
	fixture__create(fixture, fixture_rows, fixture_events);
	fixture__execute(fixture->path, rows);
	assert_int_equal(fixture__load(fixture), 0);
}

/* Whatever is put together: nothing is lost, nothing twice. */
static void test_totals(void **state)
{
	struct fixture fixture;

	(void)state;
	open_rows(&fixture);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		json_t *root = page_of(&fixture, &limits[i]);

		assert_near(sum_of(root, "waits_on", 5, 3), 4);
		assert_near(sum_of(root, "waits_on", 5, 4), 10000000);
		assert_near(sum_of(root, "written", 5, 3), 1);
		assert_near(sum_of(root, "written", 5, 4), 4096);
		assert_near(sum_of(root, "patterns", 7, 3), 7);
		assert_near(sum_of(root, "patterns", 7, 4), 3);
		assert_near(sum_of(root, "patterns", 7, 5), 1);
		assert_near(sum_of(root, "patterns", 7, 6), 2000000);
		assert_near(sum_of(root, "growth", 5, 3), 1300);
		assert_near(sum_of(root, "growth", 5, 4), 35);
		assert_near(sum_of(root, "shortages", 5, 3), 4);
		assert_near(sum_of(root, "shortages", 5, 4), 12288);
		assert_near(sum_of(root, "maps", 4, 2), 2700);
		assert_near(sum_of(root, "maps", 4, 3), 3000);
		assert_near(sum_of(root, "ceph", 7, 4), 13);
		assert_near(sum_of(root, "ceph", 7, 5), 8192);
		assert_near(sum_of(root, "ceph", 7, 6), 37000000);
		assert_near(sampled(root, SOURCE_CEPH, SHARE_TIME), 37000000);
		assert_near(sampled(root, SOURCE_CEPH, SHARE_OPS), 13);
		assert_near(sampled(root, SOURCE_CEPH, SHARE_BYTES), 8192);
		assert_near(sampled(root, SOURCE_MEM, SHARE_BYTES), 1300);
		assert_near(sampled(root, SOURCE_MEM, SHARE_OPS), 35);
		assert_near(sampled(root, SOURCE_MEM, SHARE_LIVE), 2700);
		assert_near(sampled(root, SOURCE_MEM, SHARE_PEAK), 3000);
		json_decref(root);
	}
	fixture__close(&fixture);
}

static const char *text_at(const json_t *root, const json_t *index)
{
	const json_t *strings = json_object_get(root, "strings");

	return json_string_value(json_array_get(strings, (size_t)json_integer_value(index)));
}

static void test_quanta(void **state)
{
	json_t *root, *quanta, *figure, *values = NULL;
	struct fixture fixture;
	size_t i, found = 0;

	(void)state;
	open_rows(&fixture);
	root = page_of(&fixture, &limits[0]);
	quanta = json_object_get(root, "quanta");
	assert_int_equal(json_array_size(quanta), 2);
	assert_string_equal(text_at(root, json_array_get(json_array_get(quanta, 0), 7)),
			    "visit=12");
	assert_string_equal(text_at(root, json_array_get(json_array_get(quanta, 1), 7)),
			    "visit=</script>");
	json_array_foreach(json_object_get(root, "quantum_figures"), i, figure)
	{
		const char *name = text_at(root, json_array_get(figure, 0));

		values = json_array_get(figure, 3);
		assert_int_equal(json_array_size(values), 2);
		if (!strcmp(name, "rss_peak_bytes")) {
			assert_near(number_at(values, 0), 5000000);
			assert_near(number_at(values, 1), 6000000);
			found++;
		} else if (!strcmp(name, "voluntary_switches")) {
			assert_near(number_at(values, 0), 10);
			assert_true(json_is_null(json_array_get(values, 1)));
			found++;
		} else if (!strcmp(name, "ipc")) {
			assert_near(number_at(values, 0), 3);
			assert_true(json_is_null(json_array_get(values, 1)));
			found++;
		}
		/* What is among the figures of epochs is not there twice. */
		assert_string_not_equal(name, "cpu_s");
	}
	assert_int_equal(found, 3);
	json_decref(root);
	/* Of two the longer one; of processes that were put together none. */
	root = page_of(&fixture, &limits[1]);
	quanta = json_object_get(root, "quanta");
	assert_int_equal(json_array_size(quanta), 1);
	assert_near(number_at(json_array_get(quanta, 0), 1), 1);
	assert_near(json_number_value(json_object_get(json_object_get(root, "folded"), "quanta")),
		    1);
	json_decref(root);
	for (size_t last = 2; last < sizeof(limits) / sizeof(limits[0]); last++) {
		root = page_of(&fixture, &limits[last]);
		assert_int_equal(json_array_size(json_object_get(root, "quanta")), 0);
		assert_near(json_number_value(
				    json_object_get(json_object_get(root, "folded"), "quanta")),
			    2);
		json_decref(root);
	}
	fixture__close(&fixture);
}

/* Quanta that are put together with their process's own time lived as long as all of them. */
static void test_together(void **state)
{
	struct fixture fixture;
	json_t *root, *epoch;
	size_t i, many = 0;

	(void)state;
	open_rows(&fixture);
	root = page_of(&fixture, &limits[2]);
	json_array_foreach(json_object_get(root, "epochs"), i, epoch)
	{
		if (number_at(epoch, 11) <= 0)
			continue;
		many++;
		assert_near(number_at(epoch, 6), 2e9);
		assert_near(number_at(epoch, 4), 0);
		assert_near(number_at(epoch, 5), 2e9);
	}
	assert_int_equal(many, 1);
	assert_near(sum_of(root, "alive", 3, 2), 2e9);
	json_decref(root);
	fixture__close(&fixture);
}

/* Killed, appending, failed; with fewer, the worst stay. */
static void test_torn(void **state)
{
	static const char *const classes[] = {"killed", "appending", "failed"};
	struct fixture fixture;
	json_t *root, *torn;

	(void)state;
	open_rows(&fixture);
	root = page_of(&fixture, &limits[0]);
	torn = json_object_get(root, "torn");
	assert_int_equal(json_array_size(torn), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(text_at(root, json_array_get(json_array_get(torn, i), 2)),
				    classes[i]);
	assert_string_equal(text_at(root, json_array_get(json_array_get(torn, 0), 3)), "SIGKILL");
	assert_string_equal(text_at(root, json_array_get(json_array_get(torn, 0), 1)), "/tmp/out");
	json_decref(root);
	root = page_of(&fixture, &limits[1]);
	torn = json_object_get(root, "torn");
	assert_int_equal(json_array_size(torn), 1);
	assert_string_equal(text_at(root, json_array_get(json_array_get(torn, 0), 2)), "killed");
	assert_near(json_number_value(json_object_get(root, "torn_recorded")), 3);
	json_decref(root);
	fixture__close(&fixture);
}

/* Datasets and services stay apart when files are put together; reads are those of all of them. */
static void test_files(void **state)
{
	struct fixture fixture;

	(void)state;
	open_rows(&fixture);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		json_t *root = page_of(&fixture, &limits[i]), *files, *file;
		size_t at, raw = 0, registry = 0;

		files = json_object_get(root, "files");
		assert_int_equal(json_array_size(files) % 12, 0);
		for (at = 0; at < json_array_size(files); at += 12) {
			file = json_array_get(files, at + 5);
			if (json_integer_value(file) >= 0 && !strcmp(text_at(root, file), "raw")) {
				raw++;
				assert_near(number_at(files, at + 8), 1);
				assert_near(number_at(files, at + 9), 0);
				assert_near(number_at(files, at + 10), 2000000);
				/* Three parts, of which it read one twice. */
				assert_near(number_at(files, at + 11), 393216);
			}
			file = json_array_get(files, at + 6);
			if (json_integer_value(file) >= 0)
				registry += !strcmp(text_at(root, file), "registry");
		}
		assert_int_equal(raw, 1);
		assert_int_equal(registry, 1);
		json_decref(root);
	}
	fixture__close(&fixture);
}

/* Requests in flight are no sum: the most at the end of any slice, and the oldest. */
static void test_in_flight(void **state)
{
	struct fixture fixture;
	json_t *root;

	(void)state;
	open_rows(&fixture);
	root = page_of(&fixture, &limits[1]);
	assert_int_equal(json_array_size(json_object_get(root, "in_flight")), 5);
	assert_near(sum_of(root, "in_flight", 5, 3), 5);
	assert_near(sum_of(root, "in_flight", 5, 4), 2000000000);
	json_decref(root);
	fixture__close(&fixture);
}

/* Means over the slices of a bucket. */
static void test_levels(void **state)
{
	struct fixture fixture;
	json_t *root;

	(void)state;
	open_rows(&fixture);
	root = page_of(&fixture, &limits[0]);
	assert_near(sum_of(root, "levels", 6, 2), 1000 + 1000 + 2000);
	assert_near(sum_of(root, "levels", 6, 3), 300 + 300);
	assert_near(sum_of(root, "levels", 6, 4), 50);
	assert_near(sum_of(root, "levels", 6, 5), 7 + 7);
	json_decref(root);
	root = page_of(&fixture, &limits[3]);
	assert_near(sum_of(root, "levels", 6, 2), 2000);
	json_decref(root);
	fixture__close(&fixture);
}

/* By process, who was killed first; kinds that nobody knows are none. */
static void test_shortages(void **state)
{
	struct fixture fixture;
	char *text = NULL;
	size_t size = 0;
	FILE *stream;

	(void)state;
	open_rows(&fixture);
	stream = open_memstream(&text, &size);
	assert_int_equal(mem_shortage__json(stream, fixture.tables), 0);
	fputc('\n', stream);
	assert_int_equal(mem_shortage__sentence(stream, fixture.tables), 0);
	assert_int_equal(mem_shortage__table(stream, fixture.tables, 100, 1), 0);
	fclose(stream);
	assert_non_null(strstr(text, "\"oom_kills\":1,\"killed_s\":2.0,\"reclaims\":0,"));
	assert_non_null(strstr(text,
			       "\"oom_kills\":0,\"killed_s\":null,\"reclaims\":3,"
			       "\"reclaimed_bytes\":12288}"));
	assert_true(strstr(text, "\"killed_s\":2.0") < strstr(text, "\"killed_s\":null"));
	assert_non_null(strstr(text, "1 process was killed"));
	assert_non_null(strstr(text, "free some 3 times"));
	assert_non_null(strstr(text, "\nShort of memory"));
	assert_non_null(strstr(text, "2.000 s"));
	assert_non_null(strstr(text, "... and 1 more processes"));
	free(text);
	fixture__close(&fixture);
}

/* --- Levels over time. */

static int note(void *context, uint32_t epoch, uint32_t first, uint32_t last,
		const double bytes[LEVEL_COUNT])
{
	char *notes = context;

	snprintf(notes + strlen(notes), 256 - strlen(notes), "%u:%u-%u=%.0f ", epoch, first, last,
		 bytes[LEVEL_ANONYMOUS]);
	return 0;
}

static void assert_levels(const char *change, const char *wanted)
{
	static const char slices[] =
		"DELETE FROM slice;"
		"INSERT INTO slice VALUES (1,0,100),(2,100,200),(3,200,300),(4,300,400),"
		"(5,400,500);DELETE FROM process;DELETE FROM epoch;DELETE FROM usage;"
		"DELETE FROM sample;DELETE FROM thread;DELETE FROM image;"
		"INSERT INTO process VALUES (1,NULL,1,0,NULL,NULL,NULL,0,0,0,NULL,NULL),"
		" (2,NULL,2,0,350,0,NULL,0,0,0,NULL,NULL);"
		"INSERT INTO epoch VALUES (1,1,1,0,250,'a',NULL,NULL),"
		" (2,1,1,250,NULL,'b',NULL,NULL),(3,2,1,0,350,'c',NULL,NULL);";
	char notes[256] = "";
	struct fixture fixture;

	fixture__create(&fixture, fixture_rows, slices);
	fixture__execute(fixture.path, change);
	assert_int_equal(fixture__load(&fixture), 0);
	assert_int_equal(mem_levels__each(fixture.tables, note, notes), 0);
	assert_string_equal(notes, wanted);
	fixture__close(&fixture);
}

static void test_runs(void **state)
{
	(void)state;
	/* Until the next one, through a change of epochs, to the end. */
	assert_levels("INSERT INTO memory VALUES (1,1,10,0,0,0,0,0)", "0:0-1=10 1:2-4=10 ");
	assert_levels("INSERT INTO memory VALUES (1,1,10,0,0,0,0,0),(2,4,20,0,0,0,0,0)",
		      "0:0-1=10 1:2-2=10 1:3-4=20 ");
	/* Not beyond the end of the process, told or known. */
	assert_levels("INSERT INTO memory VALUES (3,2,30,0,0,0,0,0)", "2:1-2=30 ");
	assert_levels(
		"INSERT INTO memory VALUES (1,2,5,0,0,0,0,0),"
		"(1,3,NULL,NULL,NULL,NULL,0,0)",
		"0:1-1=5 ");
	/* Two epochs in one slice: the later one had it at its end. */
	assert_levels("INSERT INTO memory VALUES (1,3,7,0,0,0,0,0),(2,3,8,0,0,0,0,0)", "1:2-4=8 ");
	/* Of an unknown slice nothing is known. */
	assert_levels("INSERT INTO memory VALUES (1,99,7,0,0,0,0,0)", "");
}

static void test_sums(void **state)
{
	struct fixture fixture;
	double *sums;

	(void)state;
	open_rows(&fixture);
	sums = mem_levels__by_slice(fixture.tables);
	assert_non_null(sums);
	assert_near(sums[LEVEL_ANONYMOUS], 1000);
	assert_near(sums[LEVEL_SWAP], 7);
	assert_near(sums[LEVEL_COUNT + LEVEL_ANONYMOUS], 3000);
	assert_near(sums[LEVEL_COUNT + LEVEL_SHARED], 50);
	free(sums);
	fixture__close(&fixture);
}

/* The largest numbers, and slices that go backwards. */
static void test_extreme(void **state)
{
	static const char change[] =
		"UPDATE memory SET anonymous_bytes = (1 << 61), minor_faults = (1 << 61);"
		"UPDATE memory_growth SET bytes = (1 << 61);UPDATE ceph SET ns = (1 << 61);"
		"UPDATE wait_on SET ns = (1 << 61);UPDATE written SET bytes = -(1 << 61);"
		"UPDATE read_pattern SET parts = 9223372036854775807, part_bytes = (1 << 61),"
		" bytes = (1 << 61);"
		"UPDATE slice SET start_ns = (1 << 61), end_ns = -(1 << 61) WHERE id = 1;"
		"UPDATE resource SET rss_peak_bytes = (1 << 61);"
		"UPDATE counter SET value = (1 << 61), running_ns = 199;"
		"UPDATE epoch SET start_ns = (1 << 61), end_ns = -(1 << 61) WHERE id = 4;";
	struct fixture fixture;

	(void)state;
	fixture__create(&fixture, fixture_rows, fixture_events);
	fixture__execute(fixture.path, rows);
	fixture__execute(fixture.path, change);
	assert_int_equal(fixture__load(&fixture), 0);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		json_decref(page_of(&fixture, &limits[i]));
	fixture__close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totals),	 cmocka_unit_test(test_quanta),
		cmocka_unit_test(test_together), cmocka_unit_test(test_torn),
		cmocka_unit_test(test_files),	 cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_levels),	 cmocka_unit_test(test_shortages),
		cmocka_unit_test(test_runs),	 cmocka_unit_test(test_sums),
		cmocka_unit_test(test_extreme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
