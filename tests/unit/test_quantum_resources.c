// SPDX-License-Identifier: GPL-2.0-or-later
// Links: report model store symbols base
// Libraries: jansson
#include "unit/fixture.h"

#include <errno.h>
#include <math.h>

#include "model/node.h"
#include "model/quantum_resources.h"
#include "report/text.h"

/* Task isr: four quanta of 10, 20, 30 and 40 ms, of which the last had begun before it was seen;
 * one of task other without resources. */
static const char rows[] =
	"INSERT INTO meta VALUES ('slice_ns', '1000000000'), ('stop_ns', '2000000000'),"
	" ('state', 'complete'), ('sources', 'cpu,offcpu,quanta,counters');"
	"INSERT INTO slice VALUES (0, 0, 2000000000);"
	"INSERT INTO process VALUES (1, NULL, 11, 0, 1000000000, 0, NULL, 0, 0, 0, 900000000, "
	"NULL);"
	"INSERT INTO epoch VALUES (1, 1, 1, 0, 10000000, 'isr', NULL, 'q'),"
	" (2, 1, 1, 10000000, 30000000, 'isr', NULL, 'q'),"
	" (3, 1, 1, 30000000, 60000000, 'isr', NULL, 'q'),"
	" (4, 1, 1, 60000000, 100000000, 'isr', NULL, 'q'),"
	" (5, 1, 1, 100000000, 110000000, 'other', NULL, 'q'),"
	" (6, 1, 1, 110000000, 1000000000, 'python3', NULL, NULL);"
	"INSERT INTO usage SELECT id, 0, (end_ns - start_ns) / 2, (end_ns - start_ns) / 4,"
	" (end_ns - start_ns) / 4 FROM epoch;"
	"INSERT INTO wait SELECT id, 0, 'disk', 1, 1000000 * id FROM epoch;"
	"INSERT INTO quantum SELECT id, id, task, NULL, 'id-' || id, NULL, NULL, id <> 4"
	" FROM epoch WHERE id < 6;"
	"INSERT INTO resource (epoch, minor_faults, children_minor_faults, children,"
	" children_user_ns, children_system_ns, threads, rss_peak_bytes)"
	" SELECT id, 100 * id, 7, 1, 3000000, 1000000, id, 1000000 * id FROM epoch WHERE id < 5;"
	"INSERT INTO counter SELECT id, 'cycles', 3000000 * id, 100, 50 FROM epoch WHERE id < 5;"
	"INSERT INTO counter SELECT id, 'task_clock', 2000000 * id, 100, 100 FROM epoch WHERE id < "
	"5;"
	"INSERT INTO counter VALUES (1, 'of a later version', 1, 1, 1);"
	"INSERT INTO resource (epoch, threads) VALUES (6, 1);";

static struct query *run(struct fixture *fixture, const char *key, const char *change)
{
	struct query_request request = {.keys = {key__find(key)}, .key_count = 1, .in_order = true};
	struct query *query;

	fixture__create(fixture, rows, change);
	assert_int_equal(fixture__load(fixture), 0);
	assert_int_equal(query__run(fixture->tables, &request, &query), 0);
	return query;
}

static double field_of(const struct query *query, const struct query_row *row, const char *name)
{
	struct field_list list = {0};
	double value = -1;

	assert_int_equal(query__describe(query, row, &list), 0);
	for (size_t i = 0; i < list.count; i++)
		if (!strcmp(list.fields[i].name, name))
			value = list.fields[i].type == FIELD_NULL ? NAN
				: list.fields[i].type == FIELD_INTEGER
					? (double)list.fields[i].integer
					: list.fields[i].real;
	field_list__free(&list);
	return value;
}

static void is_near(double value, double wanted)
{
	if (!(fabs(value - wanted) <= 1e-9 * fabs(wanted)))
		fail_msg("%.15g instead of %.15g", value, wanted);
}

static void of_each(void **state)
{
	struct fixture fixture = {0};
	struct query *query = run(&fixture, "quantum", NULL);
	const struct query_row *row = query__row(query, 1);

	(void)state;
	is_near(field_of(query, row, "minor_faults"), 200);
	is_near(field_of(query, row, "with_children_minor_faults"), 207);
	is_near(field_of(query, row, "with_children_cpu_s"), 0.010 + 0.004);
	is_near(field_of(query, row, "children_cpu_s"), 0.004);
	is_near(field_of(query, row, "wait_disk_s"), 0.002);
	is_near(field_of(query, row, "rss_peak_bytes"), 2e6);
	is_near(field_of(query, row, "max_rss_bytes"), 2e6); /* not the process's */
	is_near(field_of(query, row, "cycles"), 12e6); /* it counted half of the time */
	is_near(field_of(query, row, "task_clock_s"), 0.004);
	is_near(field_of(query, row, "ghz"), 3);
	is_near(field_of(query, row, "counted_share"), 0.5);
	assert_true(isnan(field_of(query, row, "major_faults")));
	is_near(field_of(query, row, "ipc"), -1); /* nobody counted instructions */
	/* A quantum without resources, and a process's own time: nothing is known. */
	for (size_t i = 4; i < 6; i++)
		assert_true(isnan(field_of(query, query__row(query, i), "minor_faults")));
	is_near(field_of(query, query__row(query, 4), "max_rss_bytes"), 9e8);
	query__free(query);
	fixture__close(&fixture);
}

/* The node's clock is that of the quanta that ran, by their CPU time. */
static void over_time(void **state)
{
	struct query_request request = {.keys = {key__find("task")}, .key_count = 1};
	struct fixture fixture = {0};
	struct node *node;

	(void)state;
	fixture__create(&fixture, rows,
			"INSERT INTO slice VALUES (1, 2000000000, 3000000000);"
			"INSERT INTO usage VALUES (5, 1, 9000000, 9000000, 0);"
			"UPDATE counter SET value = 2 * value WHERE epoch = 3 AND name = 'cycles'");
	assert_int_equal(fixture__load(&fixture), 0);
	assert_int_equal(node__run(fixture.tables, &request, 0, &node), 0);
	assert_true(node->knows[NODE_CLOCK]);
	is_near(node->rows[0].figures[NODE_CLOCK], (3 * (5 + 10 + 20) + 6 * 15) / 50.0);
	assert_true(isnan(node->rows[1].figures[NODE_CLOCK]));
	is_near(node->mean.figures[NODE_CLOCK], 3.9);
	is_near(node->most.figures[NODE_CLOCK], 3.9);
	node__free(node);
	fixture__close(&fixture);
}

static void of_a_task(void **state)
{
	struct fixture fixture = {0};
	struct query *query = run(&fixture, "task", NULL);
	const struct query_row *row = query__row(query, 0);

	(void)state;
	is_near(field_of(query, row, "quanta"), 4);
	/* The one that had begun before is left out. */
	is_near(field_of(query, row, "quantum_minor_faults_count"), 3);
	is_near(field_of(query, row, "quantum_minor_faults_mean"), 200);
	is_near(field_of(query, row, "quantum_minor_faults_median"), 200);
	is_near(field_of(query, row, "quantum_minor_faults_p95"), 300);
	is_near(field_of(query, row, "quantum_minor_faults_max"), 300);
	is_near(field_of(query, row, "quantum_efficiency_median"), 0.5);
	is_near(field_of(query, row, "quantum_user_s_max"), 0.0075);
	is_near(field_of(query, row, "quantum_wait_disk_s_mean"), 0.002);
	is_near(field_of(query, row, "quantum_ghz_median"), 3);
	is_near(field_of(query, row, "quantum_major_faults_count"), 0);
	assert_true(isnan(field_of(query, row, "quantum_major_faults_mean")));
	is_near(field_of(query, row, "max_rss_bytes"), 4e6);
	query__free(query);
	fixture__close(&fixture);
}

static void as_text(void **state)
{
	static const char *const wanted[] = {"peak RSS", "minor faults with children",
					     "waited: disk", "ghz", "p95"};
	struct fixture fixture = {0};
	struct query *query = run(&fixture, "task", NULL);
	struct summary *summary;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(summary__load(fixture.tables, &summary), 0);
	assert_int_equal(text_report__query(stream, fixture.tables, summary, query, 200, 0), 0);
	assert_int_equal(fclose(stream), 0);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("no '%s' in:\n%s", wanted[i], text);
	assert_null(strstr(text, "major faults"));
	free(text);
	summary__free(summary);
	query__free(query);
	fixture__close(&fixture);
}

/* A recording made to harm. */
static void damaged(void **state)
{
	static const char *const changes[] = {
		"INSERT INTO resource (epoch, threads) VALUES (99, 1)",
		"UPDATE resource SET minor_faults = -1",
		"INSERT INTO counter VALUES (99, 'cycles', 1, 1, 1)",
		"UPDATE counter SET running_ns = -5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture fixture = {0};

		fixture__create(&fixture, rows, changes[i]);
		if (fixture__load(&fixture) != -EBADMSG)
			fail_msg("accepted: %s", changes[i]);
		fixture__close(&fixture);
	}
}

/* Recordings without resources have no such fields. */
static void none(void **state)
{
	struct fixture fixture = {0};
	struct query *query = run(&fixture, "task", "DELETE FROM counter; DELETE FROM resource");

	(void)state;
	assert_null(query__resources(query));
	is_near(field_of(query, query__row(query, 0), "quantum_minor_faults_count"), -1);
	is_near(field_of(query, query__row(query, 0), "max_rss_bytes"), 9e8);
	query__free(query);
	fixture__close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_each), cmocka_unit_test(of_a_task), cmocka_unit_test(as_text),
		cmocka_unit_test(damaged), cmocka_unit_test(none),	cmocka_unit_test(over_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
