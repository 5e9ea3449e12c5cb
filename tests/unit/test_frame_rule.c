// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/frame_rule.h"
#include "proc/rules.h"

static const char text[] =
	"[frame job]\n"
	"file = */worker.py */work/*.py\n"
	"function = Worker.run run_*\n"
	"quantum = job_id\n"
	"label = job.name | after-last .\n"
	"label = other\n"
	"id = job_id.int | uuid | first\n"
	"id = job_id\n"
	"run = a.b:C._t[\"RUN\"]\n"
	"dataid = job.arguments\n"
	"dataid = job.values by job.kind.places\n"
	"field shard = job.arguments[\"shard\"]\n"
	"calls = read clock_gettime\n"
	"[frame pool]\n"
	"file = *\n"
	"function = execute\n"
	"scope = thread\n"
	"quantum = task\n"
	"label = task.name\n";

static struct rules *new_rules(void)
{
	struct rules *rules = NULL;

	assert_int_equal(rules__new(&rules), 0);
	assert_int_equal(rules__add_text(rules, "test", text, sizeof(text) - 1, NULL, NULL), 0);
	return rules;
}

static void understood(void **state)
{
	struct rules *rules = new_rules();
	struct frame_rule *frame = rules__frame(rules, 0);
	_cleanup_free_ char *printed = NULL;
	size_t size;
	FILE *stream;

	(void)state;
	assert_non_null(frame);
	assert_int_equal(frame->identity_count, 1);
	assert_int_equal(frame->local_count, 3);
	assert_string_equal(frame->locals[0], "job_id");
	assert_string_equal(frame->locals[1], "job");
	assert_string_equal(frame->locals[2], "other");
	assert_int_equal(frame->path_count, 5);
	assert_int_equal(frame->paths[0].value.local, 1);
	assert_true(frame->paths[2].value.is_uuid);
	assert_int_equal(frame->paths[2].value.steps.count, 1);
	assert_false(frame->paths[3].value.is_uuid);
	assert_string_equal(frame->paths[4].value.path.module, "a.b");
	assert_int_equal(frame->dataid_count, 2);
	assert_false(frame->dataids[0].has_places);
	assert_true(frame->dataids[1].has_places);
	assert_int_equal(frame->field_count, 1);
	assert_int_equal(frame->calls.count, 2);
	assert_false(frame->of_thread);
	assert_true(rules__frame(rules, 1)->of_thread);

	stream = open_memstream(&printed, &size);
	rules__print(rules, 0, stream);
	fclose(stream);
	assert_string_equal(printed,
			    "test:1: frame job: function Worker.run run_* in */worker.py "
			    "*/work/*.py, at read clock_gettime, a quantum is job_id -> label id "
			    "run dataid shard\n");
	rules__free(rules);
}

static void functions(void **state)
{
	struct rules *rules = new_rules();
	const struct frame_rule *frame = rules__frame(rules, 0);

	(void)state;
	assert_true(frame_rule__matches(frame, "Worker.run", "/opt/x/worker.py"));
	assert_true(frame_rule__matches(frame, "run_job", "/opt/x/worker.py"));
	assert_true(frame_rule__matches(frame, "Any.run_job", "/a/work/b.py"));
	assert_false(frame_rule__matches(frame, "run", "/opt/x/worker.py"));
	assert_false(frame_rule__matches(frame, "Other.run", "/opt/x/worker.py"));
	assert_false(frame_rule__matches(frame, "Worker.run", "/opt/x/other.py"));
	rules__free(rules);
}

static void values(void **state)
{
	struct rules *rules = new_rules();
	const struct frame_rule *frame = rules__frame(rules, 0);
	struct rule_text result;

	(void)state;
	assert_true(frame_value__finish(&frame->paths[0].value, "a.b.isr", &result));
	assert_string_equal(result.bytes, "isr");
	assert_false(frame_value__finish(&frame->paths[0].value, "isr", &result));
	assert_true(frame_value__finish(&frame->paths[1].value, "  x\ty ", &result));
	assert_string_equal(result.bytes, "x?y");
	rules__free(rules);
}

/* The built-in ones are there, in this order, and can be replaced. */
static void builtin(void **state)
{
	static const char replacing[] =
		"[frame lsst-quantum]\nfile = *\nfunction = other\n"
		"quantum = x\nlabel = x\n";
	struct rules *rules = NULL;
	size_t count = 0, others = 0;

	(void)state;
	assert_int_equal(rules__new(&rules), 0);
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct frame_rule *frame = rules__frame(rules, i);

		if (!frame)
			continue;
		assert_int_equal(frame->calls.count, frame->has_part ? 0 : 2);
		if (!count++)
			assert_true(frame_rule__matches(frame, "SingleQuantumExecutor.execute",
							"/a/singleQuantumExecutor.py"));
		else
			assert_true(
				frame_rule__matches(frame, "IsrTask.runQuantum", "/a/lsst/b.py"));
	}
	assert_int_equal(count, 3);
	assert_int_equal(
		rules__add_text(rules, "new", replacing, sizeof(replacing) - 1, NULL, NULL), 0);
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct frame_rule *frame = rules__frame(rules, i);

		if (frame && frame_rule__matches(frame, "execute", "/singleQuantumExecutor.py"))
			others++;
	}
	assert_int_equal(others, 0);
	assert_null(rules__frame(rules, rules__count(rules)));
	rules__free(rules);
}

/* Names that BPF compares: of patterns it knows none. */
static void names(void **state)
{
	static const struct {
		const char *pattern, *name;
	} cases[] = {{"execute", "execute"}, {"Worker.run", "run"}, {"*.run", "run"},
		     {"run_*", NULL},	     {"W?rker.run", "run"}, {"[A-Z]*.run", NULL},
		     {"run\\*", NULL},	     {"a.<locals>.b", "b"}};
	struct rules *rules = new_rules();
	const struct frame_rule *frame = rules__frame(rules, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name = frame_rule__plain_name(cases[i].pattern);

		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		else
			assert_null(name);
	}
	assert_true(frame_rule__has_name(frame, "Other.run"));
	assert_true(frame_rule__has_name(frame, "run"));
	assert_false(frame_rule__has_name(frame, "run_job"));
	rules__free(rules);
}

static void subtasks(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"function = run\nfile = *\nsubtask = self._fullName\n", true},
		{"function = run\nfile = *\nsubtask = self.name | after .\n", true},
		{"function = run\nfile = *\nsubtask = a.b:C.name\n", false},
		{"function = run\nfile = *\nquantum = x\nlabel = x\nsubtask = self.name\n", false},
		{"function = run\nfile = *\nsubtask = self.name\nquantum = x\n", false},
		{"function = run\nfile = *\nsubtask = self.name\nlabel = x\n", false},
		{"file = *\nsubtask = self.name\n", false},
		{"function = run\nfile = *\nsubtask = self.name\nscope = thread\n", false},
		{"function = run\nfile = *\nquantum = x\nlabel = x\nscope = process\n", true},
		{"function = run\nfile = *\nquantum = x\nlabel = x\nscope = node\n", false},
		{"function = run\nfile = *\nquantum = x\nlabel = x\nfield n = x.y | count\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rules *rules = NULL;
		char rule[256];
		int err;

		assert_int_equal(rules__new(&rules), 0);
		snprintf(rule, sizeof(rule), "[frame x]\n%s", cases[i].text);
		err = rules__add_text(rules, "test", rule, strlen(rule), NULL, NULL);
		assert_int_equal(err, cases[i].good ? 0 : -EBADMSG);
		if (cases[i].good && strstr(rule, "subtask"))
			assert_true(rules__frame(rules, 0)->has_part);
		if (cases[i].good && strstr(rule, "count"))
			assert_true(rules__frame(rules, 0)->fields[0].value.is_count);
		rules__free(rules);
	}
}

static void calls(void **state)
{
	(void)state;
	assert_true(syscall__number("read") >= 0);
	assert_int_equal(syscall__number("no_such_call"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understood), cmocka_unit_test(functions),
		cmocka_unit_test(values),     cmocka_unit_test(builtin),
		cmocka_unit_test(names),      cmocka_unit_test(subtasks),
		cmocka_unit_test(calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
