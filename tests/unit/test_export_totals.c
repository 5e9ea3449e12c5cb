// SPDX-License-Identifier: GPL-2.0-or-later
// Links: export report model store symbols base
/* Sums of all formats, and names that are made to harm in all of them. */
#include "unit/exported.h"
#include "unit/marshal.h"

#include <jansson.h>

#include "report/printable.h"

/* --- The sum of everything, as each format has it. In ns, bytes, numbers. */

static double total_of_collapsed(const struct printed *printed, const struct metric *metric)
{
	double total = 0;
	char *rest = printed->text;

	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		char *number = strrchr(line, ' ');

		assert_non_null(number);
		total += strtod(number, NULL);
	}
	return metric__unit(metric) == UNIT_NANOSECONDS ? total * 1e3 : total;
}

/* Every reference and the units are checked on the way. */
static double total_of_speedscope(const struct printed *printed, const struct metric *metric)
{
	static const char *const units[] = {"none", "nanoseconds", "bytes"};
	json_error_t problem;
	json_t *root = json_loadb(printed->text, printed->size, JSON_REJECT_DUPLICATES, &problem);
	const json_t *profile, *sample, *frame;
	size_t frames, i, k, n;
	double total = 0;

	if (!root)
		fail_msg("%s: %s", problem.text, printed->text);
	frames = json_array_size(json_object_get(json_object_get(root, "shared"), "frames"));
	json_array_foreach(json_object_get(root, "profiles"), i, profile)
	{
		const json_t *weights = json_object_get(profile, "weights");
		json_int_t sum = 0;

		assert_string_equal(json_string_value(json_object_get(profile, "unit")),
				    units[metric__unit(metric)]);
		json_array_foreach(json_object_get(profile, "samples"), k, sample)
		{
			assert_true(json_array_size(sample) > 0);
			json_array_foreach(sample, n, frame)
				assert_true((size_t)json_integer_value(frame) < frames);
			assert_true(json_integer_value(json_array_get(weights, k)) > 0);
			sum += json_integer_value(json_array_get(weights, k));
		}
		assert_int_equal(json_array_size(weights), k);
		assert_int_equal(json_integer_value(json_object_get(profile, "endValue")), sum);
		total += (double)sum;
	}
	json_decref(root);
	return total;
}

static bool has_location(const Pprof__Profile *profile, uint64_t id)
{
	for (size_t i = 0; i < profile->n_location; i++)
		if (profile->location[i]->id == id)
			return true;
	return false;
}

static void check_places(const Pprof__Profile *profile)
{
	assert_string_equal(profile->string_table[0], "");
	for (size_t i = 0; i < profile->n_location; i++) {
		const Pprof__Location *location = profile->location[i];
		size_t functions = 0, mappings = 0;

		assert_int_equal(location->n_line, 1);
		for (size_t k = 0; k < profile->n_function; k++)
			functions += profile->function[k]->id == location->line[0]->function_id;
		for (size_t k = 0; k < profile->n_mapping; k++)
			mappings += profile->mapping[k]->id == location->mapping_id;
		assert_int_equal(functions, 1);
		assert_int_equal(mappings, location->mapping_id ? 1 : 0);
	}
	for (size_t i = 0; i < profile->n_function; i++)
		assert_in_range(profile->function[i]->name, 1, profile->n_string_table - 1);
	for (size_t i = 0; i < profile->n_mapping; i++)
		assert_in_range(profile->mapping[i]->filename, 1, profile->n_string_table - 1);
}

static double total_of_pprof(struct printed *printed, const struct metric *metric)
{
	Pprof__Profile *profile = pprof_of(printed);
	size_t last = profile->n_sample_type - 1;
	double total = 0;

	check_places(profile);
	assert_string_equal(profile->string_table[profile->sample_type[last]->type], metric->name);
	assert_int_equal(profile->default_sample_type, profile->sample_type[last]->type);
	for (size_t i = 0; i < profile->n_sample; i++) {
		const Pprof__Sample *sample = profile->sample[i];

		assert_int_equal(sample->n_value, profile->n_sample_type);
		assert_true(sample->n_location_id > 0);
		for (size_t k = 0; k < sample->n_location_id; k++)
			assert_true(has_location(profile, sample->location_id[k]));
		total += (double)sample->value[last];
	}
	pprof__profile__free_unpacked(profile, NULL);
	return total;
}

/* Threads have the CPU time of their processes once more. */
static double total_of_perfetto(const struct printed *printed, const struct metric *metric)
{
	Perfetto__Trace *trace = trace_of(printed);
	double total = 0;

	for (size_t i = 0; i < trace->n_packet; i++) {
		const Perfetto__TrackEvent *event = trace->packet[i]->track_event;
		const Perfetto__TrackDescriptor *track;

		if (trace->packet[i]->data_case != PERFETTO__TRACE_PACKET__DATA_TRACK_EVENT ||
		    event->type != PERFETTO__TRACK_EVENT__TYPE__TYPE_COUNTER)
			continue;
		track = track_of(trace, event->track_uuid);
		assert_non_null(track->counter);
		if (strncmp(track->name, metric->name, strlen(metric->name)) ||
		    !track->has_parent_uuid || !track_of(trace, track->parent_uuid)->process)
			continue;
		total += (double)event->counter_value;
	}
	perfetto__trace__free_unpacked(trace, NULL);
	return total;
}

static double total_of_pstats(const struct printed *printed, const struct metric *metric)
{
	struct marshal marshal;

	marshal_read(&marshal, printed);
	free(marshal.names);
	return metric__unit(metric) == UNIT_NANOSECONDS ? marshal.own * 1e9 : marshal.own;
}

static void check_total(struct fixture *fixture, const char *format, const char *const *where,
			const struct metric *metric, double tolerance)
{
	double reported = reported_total(fixture, where, metric->name), exported;
	struct printed printed;

	export_to(&printed, fixture, format, NULL, where, metric->name);
	if (!strcmp(format, "collapsed"))
		exported = total_of_collapsed(&printed, metric);
	else if (!strcmp(format, "speedscope"))
		exported = total_of_speedscope(&printed, metric);
	else if (!strcmp(format, "pprof"))
		exported = total_of_pprof(&printed, metric);
	else if (!strcmp(format, "perfetto"))
		exported = total_of_perfetto(&printed, metric);
	else
		exported = total_of_pstats(&printed, metric);
	free(printed.text);
	if (fabs(exported - reported) > tolerance)
		fail_msg("%s, %s: %f, but the report says %f", format, metric->name, exported,
			 reported);
}

/* Rounded once per format, but once per series of a time line. */
static void test_totals(void **state)
{
	static const char *const where[][3] = {
		{NULL}, {"task=isr", NULL}, {"task=isr", "function=work", NULL}};
	static const char *const formats[] = {"collapsed", "speedscope", "pprof", "perfetto",
					      "pstats"};
	struct fixture fixture;
	size_t checked = 0;

	(void)state;
	fixture__open_events(&fixture);
	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++)
		for (size_t m = 0; metric__at(m); m++)
			for (size_t w = 0; w < sizeof(where) / sizeof(where[0]); w++) {
				const struct metric *metric = metric__at(m);
				bool collapsed = !strcmp(formats[f], "collapsed");

				bool timeless = metric->value == METRIC_MMAP_LIVE ||
						metric->value == METRIC_MMAP_PEAK ||
						metric->value == METRIC_HELD;

				/* Perfetto's figures are over time. */
				if (metric->only_exact ||
				    (timeless && !strcmp(formats[f], "perfetto")))
					continue;
				check_total(&fixture, formats[f], where[w], metric,
					    collapsed ? 500 : 5);
				checked++;
			}
	assert_int_equal(checked, (5 * 19 - 3) * 3);
	fixture__close(&fixture);
}

/* --- Names that are made to harm. */

static const char hostile[] =
	"UPDATE function SET name = '=cmd|\"/c calc\"!A1' || char(10) || "
	"'<script>alert(1)</script>;' "
	"|| char(27) || ']0;x' || CAST(x'ff80' AS TEXT) WHERE id = 2;"
	"UPDATE function SET name = 'a<' || replace(hex(zeroblob(2000)), '0', 'T&\\') || '>' "
	"WHERE id = 6;"
	"UPDATE function SET file = '/a/\"};]' || char(13) || '.py', module = '@SUM(A1)' WHERE id "
	"= 3;"
	"UPDATE epoch SET task = '-1+1|\"' || char(10) || 'x' WHERE id = 1;"
	"UPDATE thread SET name = '</script>' || char(0xe2) || CAST(x'fe' AS TEXT) WHERE id = 1;";

static void check_plain(const char *format, const struct printed *printed, const char *allowed)
{
	for (size_t i = 0; i < printed->size; i++) {
		unsigned char c = (unsigned char)printed->text[i];

		if ((c < 0x20 || c == 0x7f) && !strchr(allowed, c))
			fail_msg("%s: byte %#x at %zu", format, c, i);
	}
}

static void check_utf8(const char *text)
{
	char *escaped = printable__utf8(text);

	assert_string_equal(escaped, text);
	free(escaped);
}

static void test_hostile_texts(void **state)
{
	struct fixture fixture;
	struct printed printed;

	(void)state;
	fixture__open_with(&fixture, hostile);
	export_to(&printed, &fixture, "collapsed", "task,thread", NULL, NULL);
	check_plain("collapsed", &printed, "\n");
	for (const char *at = printed.text; *at; at = strchr(at, '\n') + 1)
		assert_true(strchr(at, ';') < strchr(at, '\n'));
	free(printed.text);
	export_to(&printed, &fixture, "speedscope", "task,thread", NULL, NULL);
	check_plain("speedscope", &printed, "\n");
	assert_null(strstr(printed.text, "</script"));
	assert_true(fabs(total_of_speedscope(&printed, metric__find("cpu")) - 1.502e9) <= 1);
	free(printed.text);
	export_to(&printed, &fixture, "dot", NULL, NULL, NULL);
	check_plain("dot", &printed, "\n\t");
	assert_null(strchr(strstr(printed.text, "labelloc"), '<'));
	free(printed.text);
	fixture__close(&fixture);
}

static void test_hostile_csv(void **state)
{
	struct fixture fixture;
	struct printed printed;
	bool quoted = false;

	(void)state;
	fixture__open_with(&fixture, hostile);
	export_to(&printed, &fixture, "csv", "task,function,module", NULL, NULL);
	check_plain("csv", &printed, "\r\n");
	for (const char *at = printed.text; *at; at++) {
		bool cell = at == printed.text || (!quoted && (at[-1] == ',' || at[-1] == '\n'));

		if (cell && (*at == '"' ? strchr("=+-@", at[1]) : strchr("=+-@", *at)))
			fail_msg("a formula: %.30s", at);
		quoted ^= *at == '"';
	}
	assert_non_null(strstr(printed.text, "'-1+1|"));
	assert_non_null(strstr(printed.text, ",'@SUM(A1),"));
	free(printed.text);
	fixture__close(&fixture);
}

static void test_hostile_binaries(void **state)
{
	struct fixture fixture;
	struct printed printed;
	struct marshal marshal;
	Pprof__Profile *profile;
	Perfetto__Trace *trace;
	size_t longest = 0;

	(void)state;
	fixture__open_with(&fixture, hostile);
	export_to(&printed, &fixture, "pprof", "task,thread", NULL, NULL);
	profile = pprof_of(&printed);
	check_places(profile);
	for (size_t i = 0; i < profile->n_string_table; i++) {
		check_utf8(profile->string_table[i]);
		longest = strlen(profile->string_table[i]) > longest
				  ? strlen(profile->string_table[i])
				  : longest;
	}
	assert_true(longest > 4000); /* whole */
	pprof__profile__free_unpacked(profile, NULL);
	free(printed.text);
	export_to(&printed, &fixture, "perfetto", NULL, NULL, NULL);
	trace = trace_of(&printed);
	for (size_t i = 0; i < trace->n_packet; i++)
		if (trace->packet[i]->data_case == PERFETTO__TRACE_PACKET__DATA_TRACK_DESCRIPTOR &&
		    trace->packet[i]->track_descriptor->thread)
			check_utf8(trace->packet[i]->track_descriptor->thread->thread_name);
	perfetto__trace__free_unpacked(trace, NULL);
	free(printed.text);
	export_to(&printed, &fixture, "pstats", NULL, NULL, NULL);
	marshal_read(&marshal, &printed);
	check_utf8(marshal.names);
	free(marshal.names);
	free(printed.text);
	fixture__close(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totals),
		cmocka_unit_test(test_hostile_texts),
		cmocka_unit_test(test_hostile_csv),
		cmocka_unit_test(test_hostile_binaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
