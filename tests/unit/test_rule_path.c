// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
/* Rules of the kind path: which paths have which dataset type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "proc/rules.h"

struct named {
	const char *path, *type, *rule; /* type NULL: none */
};

static void check(struct rules *rules, const struct named *one)
{
	const char *type = NULL, *rule = NULL;
	int found = rules__dataset(rules, one->path, &type, &rule);

	if (!one->type) {
		if (found)
			fail_msg("%s is taken for '%s'", one->path, type);
		return;
	}
	if (found != 1 || strcmp(type, one->type))
		fail_msg("%s: %s, not %s", one->path, found ? type : "nothing", one->type);
	assert_string_equal(rule, one->rule);
}

static void builtin(void **state)
{
	static const struct named cases[] = {
		{"/repo/HSC/runs/RC2/calexp/20160307/r/HSC-R/1204/calexp_HSC_r_1204_49_x.fits",
		 "calexp", "butler"},
		{"/repo/run/raw/raw_1.fits.gz", "raw", "butler"},
		{"/raw/raw_1.fits", "raw", "butler"},
		/* The innermost folder counts, whatever the run is called. */
		{"/repo/deepCoadd/deepCoadd_calexp/9813/deepCoadd_calexp_9813_4.fits",
		 "deepCoadd_calexp", "butler"},
		{"/repo/u/me/deepCoadd_calexp/deepCoadd/9813/4/deepCoadd_9813_4_i.fits",
		 "deepCoadd", "butler"},
		{"/repo/run/objectTable/3828/objectTable_3828_x.parq", "objectTable", "butler"},
		{"/repo/run/isr_metadata/7/isr_metadata_7_run.json", "isr_metadata", "butler"},
		{"/repo/run/isr_config/isr_config_run.py", "isr_config", "butler-config"},
		{"/repo/run/calexp/1204/tmp8ab.fits", NULL, NULL},
		{"/repo/run/calexp/1204/calexp.fits", NULL, NULL},
		{"/repo/run/calexp/1204/calexpX_1.fits", NULL, NULL},
		{"/home/me/project/test/test_all.py", NULL, NULL},
		{"/usr/lib/linalg/linalg_fast.so", NULL, NULL},
		{"calexp/calexp_1.fits", NULL, NULL},
		{".../calexp/calexp_1.fits", NULL, NULL},
		{"/", NULL, NULL},
		{"", NULL, NULL},
	};
	struct rules *rules;

	(void)state;
	assert_int_equal(rules__new(&rules), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(rules, &cases[i]);
	rules__free(rules);
}

static void of_files(void **state)
{
	static const char text[] =
		"[path first]\n"
		"path = /data/{survey}/img?/{kind}-*.tab\n"
		"path = /**/{a}{b}/x/{b}{a}\n"
		"dataset = {survey|any}.{kind|pair}\n"
		"[path butler]\n"
		"path = /only/*\n"
		"dataset = literal\n";
	static const struct named cases[] = {
		{"/data/des/img1/flat-7.tab", "des.flat", "first"},
		{"/data/des/img1/fl-at-7.tab", "des.fl-at", "first"}, /* as much as it can */
		{"/data//des/img1/flat-7.tab", "des.flat", "first"},
		{"/data/des/img12/flat-7.tab", NULL, NULL},
		{"/data/des/img1/-7.tab", NULL, NULL}, /* a capture is not empty */
		{"/q/abc/x/bca", "any.pair", "first"},
		{"/q/abc/x/cab", "any.pair", "first"},
		{"/q/abc/x/acb", NULL, NULL},
		{"/only/one", "literal", "butler"},
		{"/only/one/more", NULL, NULL},
		{"/run/raw/raw_1.fits", NULL, NULL}, /* the built-in rule is replaced */
	};
	struct rules *rules;

	(void)state;
	assert_int_equal(rules__new(&rules), 0);
	assert_int_equal(rules__add_text(rules, "test", text, strlen(text), NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(rules, &cases[i]);
	rules__free(rules);
}

static void keep_message(const struct rules_error *error, void *context)
{
	strcpy(context, error->message);
}

static void errors(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"[path p]\ndataset = x\n", "the rule needs path = PATTERN"},
		{"[path p]\npath = /x\n", "the rule needs dataset = NAME"},
		{"[path p]\npath = x/y\ndataset = x\n", "a path begins with '/'"},
		{"[path p]\npath = /{x/y}\ndataset = x\n", "braces that do not pair"},
		{"[path p]\npath = /x}\ndataset = x\n", "braces that do not pair"},
		{"[path p]\npath = /{}\ndataset = x\n", "'' is no name for a capture"},
		{"[path p]\npath = /{x}\ndataset = {y}\n", "there is no capture 'y'"},
	};
	struct rules *rules;
	char message[256];

	(void)state;
	assert_int_equal(rules__new(&rules), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message[0] = '\0';
		assert_int_not_equal(rules__add_text(rules, "test", cases[i].text,
						     strlen(cases[i].text), keep_message, message),
				     0);
		if (!strstr(message, cases[i].message))
			fail_msg("'%s', not '%s'", message, cases[i].message);
	}
	rules__free(rules);
}

/* Patterns and paths that fit each other in very many ways take no long time. */
static void hostile(void **state)
{
	static const char text[] =
		"[path slow]\n"
		"path = /**/**/**/**/{a}*{b}*{c}*{d}*/**/{e}*{f}*!\n"
		"dataset = {a}\n";
	char path[4000] = "";
	const char *type, *rule;
	struct rules *rules;
	clock_t begin;

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(path, "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(rules__new(&rules), 0);
	assert_int_equal(rules__add_text(rules, "test", text, strlen(text), NULL, NULL), 0);
	begin = clock();
	assert_int_equal(rules__dataset(rules, path, &type, &rule), 0);
	assert_true(clock() - begin < CLOCKS_PER_SEC / 2);
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(rules__dataset(rules, path, &type, &rule), 0);
	rules__free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builtin),
		cmocka_unit_test(of_files),
		cmocka_unit_test(errors),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
