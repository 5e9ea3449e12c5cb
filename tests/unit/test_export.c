// SPDX-License-Identifier: GPL-2.0-or-later
// Links: export report model store symbols base
#include "unit/exported.h"
#include "unit/marshal.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "export/output.h"

static void test_collapsed(void **state)
{
	static const char samples[] =
		"calibrate;work (other.py:6) 3\n"
		"isr;main (main.py:2);wo:rk\\x0a (main.py:12);PyObject_GetAttr 3\n"
		"calibrate;do_syscall 2\n"
		"isr;main (main.py:2);wo:rk\\x0a (main.py:12);memcpy 2\n"
		"isr;main (main.py:2);fib (main.py:21);fib (main.py:22);fib (main.py:22) 2\n"
		"isr;main (main.py:2);wo:rk\\x0a (main.py:12) 1\n"
		"isr;main (main.py:2);fib (main.py:21);fib (main.py:22);fib (main.py:22);"
		"do_syscall 1\n"
		"isr;(unknown) 1\n";
	struct fixture fixture;
	struct printed printed;

	(void)state;
	fixture__open_with(&fixture, "UPDATE function SET name = 'wo;rk' || char(10) WHERE id = 2");
	export_to(&printed, &fixture, "collapsed", NULL, NULL, "samples");
	assert_string_equal(printed.text, samples);
	free(printed.text);
	export_to(&printed, &fixture, "collapsed", NULL, NULL, NULL);
	assert_non_null(strstr(printed.text, "calibrate;work (other.py:6) 300000\n"));
	assert_non_null(strstr(printed.text, "sh;(not sampled) 2000\n"));
	free(printed.text);
	fixture__close(&fixture);
}

static void test_collapsed_events(void **state)
{
	static const struct {
		const char *metric, *text;
	} exports[] = {
		{"offcpu",
		 "isr;main (main.py:2);fib (main.py:21);fib (main.py:22);fib (main.py:22);"
		 "do_syscall;[idle] 500000\n"
		 "calibrate;work (other.py:6);[child] 300000\n"
		 "isr;main (main.py:2);work (main.py:12);PyObject_GetAttr;[lock] 300000\n"
		 "isr;main (main.py:2);fib (main.py:21);fib (main.py:22);fib (main.py:22);"
		 "do_syscall;[lock] 200000\n"
		 "isr;(unknown);[file_system] 200000\n"
		 "calibrate;(not sampled);[other:keyctl] 100000\n"
		 "isr;(not sampled);[run_queue] 50000\n"},
		{"io_time",
		 "calibrate;(not sampled);[read] 300000\n"
		 "isr;main (main.py:2);work (main.py:12);memcpy;[read] 120000\n"
		 "isr;(not sampled);[open] 50000\n"
		 "isr;main (main.py:2);work (main.py:12);PyObject_GetAttr;[read] 30000\n"
		 "isr;(not sampled);[write] 10000\n"
		 "sh;(not sampled);[stat] 5000\n"},
		{"read_bytes",
		 "isr;main (main.py:2);work (main.py:12);memcpy;[read] 2000000\n"
		 "calibrate;(not sampled);[read] 100\n"},
		{"write_bytes", "isr;(not sampled);[write] 4096\n"},
		{"ops",
		 "isr;main (main.py:2);work (main.py:12);PyObject_GetAttr;[open] 301\n"
		 "isr;(not sampled);[read] 20\n"
		 "isr;(not sampled);[write] 5\n"
		 "sh;(not sampled);[stat] 5\n"
		 "calibrate;(not sampled);[read] 2\n"},
	};
	struct fixture fixture;

	(void)state;
	fixture__open_events(&fixture);
	for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++) {
		struct printed printed;

		export_to(&printed, &fixture, "collapsed", NULL, NULL, exports[i].metric);
		assert_string_equal(printed.text, exports[i].text);
		free(printed.text);
	}
	fixture__close(&fixture);
}

static void test_output(void **state)
{
	char directory[] = "/tmp/pipescope-test-XXXXXX", path[64], link_path[64];
	struct output *output;
	struct stat status;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/out", directory);
	snprintf(link_path, sizeof(link_path), "%s/link", directory);
	for (int i = 0; i < 2; i++) { /* new, then replaced */
		assert_int_equal(output__open(path, &output), 0);
		fprintf(output__stream(output), "%d\n", i);
		assert_int_equal(output__finish(output), 0);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_size, 2);
	}
	assert_int_equal(output__open(path, &output), 0);
	fputs("a half", output__stream(output));
	output__abandon(output);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 2);
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(output__open(link_path, &output), -ELOOP);
	assert_int_equal(output__open(directory, &output), -EEXIST);
	assert_int_equal(output__open("/dev/null", &output), -EEXIST);
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0); /* nothing else was left */
}

/* Keys that say where are frames, the others groups. */
static void test_collapsed_keys(void **state)
{
	static const char *const where[] = {"task=isr", NULL};
	static const struct {
		const char *by, *text;
	} exports[] = {
		{"job,function",
		 "j1;work 400000\nj1;fib 200000\nj1;memcpy 200000\n"
		 "j1;(unknown) 100000\nj1;do_syscall 100000\n"},
		{"line", "main.py:12 600000\nmain.py:22 300000\n(no line) 100000\n"},
		{"process,time,module",
		 "100;0.000 s;/a/main.py 300000\n100;1.000 s;/a/main.py 300000\n"
		 "100;0.000 s;/lib/libc.so.6 200000\n100;1.000 s;(unknown) 100000\n"
		 "100;1.000 s;kernel 100000\n"},
	};
	struct fixture fixture;
	struct printed printed;

	(void)state;
	fixture__open(&fixture);
	for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++) {
		export_to(&printed, &fixture, "collapsed", exports[i].by, where, NULL);
		assert_string_equal(printed.text, exports[i].text);
		free(printed.text);
	}
	fixture__close(&fixture);
}

static void test_speedscope(void **state)
{
	static const char *const where[] = {"function=fib", NULL};
	const json_t *profile, *frames, *frame;
	struct printed printed;
	struct fixture fixture;
	json_t *root;

	(void)state;
	fixture__open(&fixture);
	export_to(&printed, &fixture, "speedscope", "task,thread", where, "samples");
	root = json_loadb(printed.text, printed.size, 0, NULL);
	free(printed.text);
	assert_int_equal(json_array_size(json_object_get(root, "profiles")), 1);
	profile = json_array_get(json_object_get(root, "profiles"), 0);
	assert_string_equal(json_string_value(json_object_get(profile, "name")),
			    "isr, 100 main (pid 100)");
	/* main:2 fib:21 fib:22 fib:22, 2 samples of this and 1 with do_syscall */
	frames = json_object_get(json_object_get(root, "shared"), "frames");
	assert_int_equal(json_array_size(frames), 4);
	frame = json_array_get(frames, 1);
	assert_string_equal(json_string_value(json_object_get(frame, "name")), "fib");
	assert_string_equal(json_string_value(json_object_get(frame, "file")), "/a/main.py");
	assert_int_equal(json_integer_value(json_object_get(frame, "line")), 21);
	frame = json_array_get(json_object_get(profile, "samples"), 0);
	assert_int_equal(json_array_size(frame), 4);
	assert_int_equal(json_integer_value(json_array_get(frame, 2)),
			 json_integer_value(json_array_get(frame, 3)));
	assert_int_equal(json_integer_value(json_array_get(json_object_get(profile, "weights"), 0)),
			 2);
	json_decref(root);
	fixture__close(&fixture);
}

static const char *text_at(const Pprof__Profile *profile, int64_t index)
{
	assert_in_range(index, 0, profile->n_string_table - 1);
	return profile->string_table[index];
}

/* "memcpy work main" for a sample, innermost first. */
static void name_path(const Pprof__Profile *profile, const Pprof__Sample *sample, char *path,
		      size_t size)
{
	size_t used = 0;

	path[0] = '\0';
	for (size_t i = 0; i < sample->n_location_id; i++)
		for (size_t k = 0; k < profile->n_location; k++) {
			const Pprof__Location *location = profile->location[k];

			if (location->id != sample->location_id[i])
				continue;
			for (size_t n = 0; n < profile->n_function; n++)
				if (profile->function[n]->id == location->line[0]->function_id)
					used += (size_t)snprintf(
						path + used, size - used, "%s:%lld ",
						text_at(profile, profile->function[n]->name),
						(long long)location->line[0]->line);
		}
}

static void test_pprof(void **state)
{
	struct fixture fixture;
	struct printed printed;
	Pprof__Profile *profile;
	int64_t samples = 0;
	bool found = false;
	char path[256];

	(void)state;
	fixture__open(&fixture);
	export_to(&printed, &fixture, "pprof", NULL, NULL, NULL);
	profile = pprof_of(&printed);
	assert_int_equal(profile->time_nanos, 1700000000000000000);
	assert_int_equal(profile->duration_nanos, 2000000000);
	assert_int_equal(profile->period, 1000000000 / 99);
	assert_int_equal(profile->n_sample_type, 2);
	assert_string_equal(text_at(profile, profile->sample_type[0]->type), "samples");
	assert_string_equal(text_at(profile, profile->sample_type[1]->unit), "nanoseconds");
	assert_int_equal(profile->n_mapping, 3); /* python3, libc, kernel */
	for (size_t i = 0; i < profile->n_sample; i++) {
		const Pprof__Sample *sample = profile->sample[i];

		samples += sample->value[0];
		name_path(profile, sample, path, sizeof(path));
		if (strcmp(path, "memcpy:0 work:12 main:2 "))
			continue;
		found = true;
		assert_int_equal(sample->value[1], 200000000);
		assert_int_equal(sample->n_label, 2);
		assert_string_equal(text_at(profile, sample->label[0]->key), "task");
		assert_string_equal(text_at(profile, sample->label[0]->str), "isr");
		assert_string_equal(text_at(profile, sample->label[1]->key), "pid");
		assert_int_equal(sample->label[1]->num, 100);
	}
	assert_true(found);
	assert_int_equal(samples, 15);
	pprof__profile__free_unpacked(profile, NULL);
	free(printed.text);
	fixture__close(&fixture);
}

/* All values of the first counter of this name, as "time:value ". */
static void counter_values(const Perfetto__Trace *trace, const char *name, char *text, size_t size)
{
	uint64_t chosen = 0;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < trace->n_packet; i++) {
		const Perfetto__TrackEvent *event = trace->packet[i]->track_event;

		if (trace->packet[i]->data_case != PERFETTO__TRACE_PACKET__DATA_TRACK_EVENT ||
		    event->type != PERFETTO__TRACK_EVENT__TYPE__TYPE_COUNTER)
			continue;
		if (!chosen && !strcmp(track_of(trace, event->track_uuid)->name, name))
			chosen = event->track_uuid;
		if (chosen && event->track_uuid == chosen)
			used += (size_t)snprintf(text + used, size - used, "%llu:%lld ",
						 (unsigned long long)trace->packet[i]->timestamp,
						 (long long)event->counter_value);
	}
}

static void test_perfetto(void **state)
{
	static const char *const where[] = {"process=100", NULL};
	size_t processes = 0, threads = 0, begun = 0;
	struct fixture fixture;
	struct printed printed;
	Perfetto__Trace *trace;
	char text[256];

	(void)state;
	fixture__open_events(&fixture);
	export_to(&printed, &fixture, "perfetto", NULL, where, NULL);
	trace = trace_of(&printed);
	assert_int_equal(trace->packet[0]->sequence_flags, 1);
	for (size_t i = 0; i < trace->n_packet; i++) {
		const Perfetto__TracePacket *packet = trace->packet[i];

		assert_int_equal(packet->trusted_packet_sequence_id, 1);
		if (packet->data_case == PERFETTO__TRACE_PACKET__DATA_TRACK_DESCRIPTOR) {
			processes += packet->track_descriptor->process != NULL;
			threads += packet->track_descriptor->thread != NULL;
		} else if (packet->track_event->type ==
			   PERFETTO__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN) {
			begun++;
			assert_string_equal(packet->track_event->name, "isr");
			assert_int_equal(packet->timestamp, 0); /* it began before */
			assert_string_equal(packet->track_event->debug_annotations[0]->string_value,
					    "pipetask run");
		}
	}
	assert_int_equal(processes, 1);
	assert_int_equal(threads, 3);
	assert_int_equal(begun, 1);
	counter_values(trace, "cpu", text, sizeof(text));
	assert_string_equal(text, "0:600000000 1000000000:400000000 2000000000:0 ");
	counter_values(trace, "offcpu: file_system", text, sizeof(text));
	assert_string_equal(text, "0:200000000 1000000000:0 ");
	counter_values(trace, "write_bytes", text, sizeof(text));
	assert_string_equal(text, "1000000000:4096 2000000000:0 ");
	counter_values(trace, "offcpu", text, sizeof(text));
	assert_string_equal(text, ""); /* by class only */
	perfetto__trace__free_unpacked(trace, NULL);
	free(printed.text);
	fixture__close(&fixture);
}

static void test_pstats(void **state)
{
	struct fixture fixture;
	struct printed printed;
	struct marshal marshal;

	(void)state;
	/* Two functions that Python's key cannot tell apart. */
	fixture__open_with(&fixture,
			   "UPDATE function SET name = 'memcpy', module = '/lib/libc.so.6' "
			   "WHERE id = 7");
	export_to(&printed, &fixture, "pstats", NULL, NULL, NULL);
	marshal_read(&marshal, &printed);
	/* main, work twice, fib, memcpy twice, (unknown), (not sampled), and the remark. */
	assert_int_equal(marshal.entries, 9);
	/* main of work and fib; work of memcpy; fib of the second one. */
	assert_int_equal(marshal.callers, 4);
	assert_non_null(strstr(marshal.names, "/a/main.py:10:work\n"));
	assert_non_null(strstr(marshal.names, "/b/other.py:5:work\n"));
	assert_non_null(strstr(marshal.names, "/lib/libc.so.6:0:memcpy\n"));
	assert_non_null(strstr(marshal.names, "/lib/libc.so.6:0:memcpy #"));
	assert_non_null(strstr(marshal.names, "~:0:(not sampled)\n"));
	assert_non_null(strstr(marshal.names, "~:0:<estimates of pipescope: "));
	free(marshal.names);
	free(printed.text);
	fixture__close(&fixture);
}

static void test_dot(void **state)
{
	static const char *const where[] = {"task=isr", NULL};
	struct fixture fixture;
	struct printed printed;

	(void)state;
	fixture__open(&fixture);
	export_to(&printed, &fixture, "dot", NULL, where, NULL);
	assert_non_null(strstr(printed.text, "task=isr\\ntotal 1.000 s (100.0 %)\""));
	assert_non_null(strstr(printed.text,
			       "[label=\"work\\nmain.py\\nown 0.400 s (40.0 %)"
			       "\\nwith callees 0.600 s (60.0 %)\""));
	/* main calls fib in 3 of 10 samples, however deep fib recurs. */
	assert_non_null(
		strstr(printed.text,
		       "[label=\"0.300 s\", comment=\"300000000\", weight=31, penwidth=2.90]"));
	free(printed.text);
	export_to(&printed, &fixture, "dot", "module", where, "samples");
	assert_non_null(strstr(printed.text, "label=\"/a/main.py\\nown 6 (60.0 %)"));
	free(printed.text);
	fixture__close(&fixture);
}

/* 400 functions of equal weight are too many to draw; the title still has them all. */
static void test_dot_of_many(void **state)
{
	static const char many[] =
		"WITH RECURSIVE n(i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n WHERE i < 499) "
		"INSERT INTO function SELECT i, 'python', 'f' || i, '/m.py', i, '/m.py' FROM n;"
		"INSERT INTO frame SELECT id, id, NULL, NULL FROM function WHERE id >= 100;"
		"INSERT INTO stack SELECT id, 1, id FROM frame WHERE id >= 100;" INTO_SAMPLE
		"SELECT 1, 1, 1, id, 'python', 'cpu', NULL, id, 0, NULL FROM "
		"stack "
		"WHERE id >= 100;";
	struct fixture fixture;
	struct printed printed;
	size_t boxes = 0;

	(void)state;
	fixture__open_with(&fixture, many);
	export_to(&printed, &fixture, "dot", NULL, NULL, "samples");
	for (const char *at = printed.text; (at = strstr(at, "tooltip=")); at++)
		boxes++;
	assert_in_range(boxes, 1, 150);
	assert_non_null(strstr(printed.text, "\tcomment=\"total 119815\";\n"));
	free(printed.text);
	fixture__close(&fixture);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *format, *by, *metric;
	} refused[] = {
		{"collapsed", NULL, "waits"},	{"speedscope", "wait,file", "io_time"},
		{"dot", "task,function", NULL}, {"dot", "stack", NULL},
		{"pstats", "line", NULL},	{"perfetto", "thread", "offcpu"},
		{"csv", "wait,file", "offcpu"}, {"pprof", "task", "errors"},
	};
	struct fixture fixture;

	(void)state;
	fixture__open_events(&fixture);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct query_request request =
			export_request(refused[i].format, refused[i].by, NULL, refused[i].metric);

		if (!exporter__find(refused[i].format)->refusal(&request))
			fail_msg("%s by %s: not refused", refused[i].format, refused[i].by);
	}
	assert_null(exporter__find("svg"));
	fixture__close(&fixture);
}

/* Whole numbers have the sum of the fractions; what cannot be is told apart from what can. */
static void test_rounding(void **state)
{
	struct rounding rounding = {0};
	int64_t whole, sum = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(rounding__next(&rounding, 0.25, &whole), 0);
		assert_in_range(whole, 0, 1);
		sum += whole;
	}
	assert_int_equal(sum, 3);
	assert_int_equal(rounding__next(&rounding, -7, &whole), 0);
	assert_int_equal(whole, 0);
	assert_int_equal(rounding__next(&rounding, 1e19, &whole), -EBADMSG);
	rounding = (struct rounding){0};
	assert_int_equal(rounding__next(&rounding, INFINITY, &whole), -EBADMSG);
}

static void test_failed_stream(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture__open_events(&fixture);
	for (size_t i = 0; exporter__at(i); i++) {
		struct query_request request =
			export_request(exporter__at(i)->name, NULL, NULL, NULL);
		FILE *full = fopen("/dev/full", "w");

		assert_non_null(full);
		setvbuf(full, NULL, _IONBF, 0);
		assert_int_equal(exporter__at(i)->write(full, fixture.tables, &request), -EIO);
		fclose(full);
	}
	fixture__close(&fixture);
}

/* Why a write failed is known at the end, too. */
static void test_full_output(void **state)
{
	const struct rlimit small = {10000, RLIM_INFINITY};
	char folder[] = "/tmp/pipescope-unit-XXXXXX", path[64];
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	struct output *output = NULL;
	struct rlimit usual;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/out", folder);
	assert_int_equal(output__open(path, &output), 0);
	assert_int_equal(output__error(output), 0);
	getrlimit(RLIMIT_FSIZE, &usual);
	setrlimit(RLIMIT_FSIZE, &small);
	for (int i = 0; i < 20000; i++)
		fputc('x', output__stream(output));
	setrlimit(RLIMIT_FSIZE, &usual);
	assert_true(ferror(output__stream(output)));
	errno = 0;
	assert_int_equal(output__error(output), -EFBIG);
	assert_int_equal(output__finish(output), -EFBIG);
	signal(SIGXFSZ, before);
	assert_int_equal(rmdir(folder), 0); /* nothing is left */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collapsed),      cmocka_unit_test(test_collapsed_events),
		cmocka_unit_test(test_collapsed_keys), cmocka_unit_test(test_speedscope),
		cmocka_unit_test(test_pprof),	       cmocka_unit_test(test_perfetto),
		cmocka_unit_test(test_pstats),	       cmocka_unit_test(test_dot),
		cmocka_unit_test(test_dot_of_many),    cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_rounding),       cmocka_unit_test(test_failed_stream),
		cmocka_unit_test(test_output),	       cmocka_unit_test(test_full_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
