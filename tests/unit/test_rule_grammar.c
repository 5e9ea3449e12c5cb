// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "proc/rules.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct rules *new_rules(void)
{
	struct rules *rules = NULL;

	assert_int_equal(rules__new(&rules), 0);
	assert_non_null(rules);
	return rules;
}

/* The task of a process that has a command name and nothing else. */
static const char *task_of(struct rules *rules, const char *comm)
{
	struct process_facts facts = {.comm = comm};
	struct identity identity;

	assert_int_equal(rules__identify(rules, &facts, &identity), 0);
	return identity.task;
}

/* --- Wrong rules. */

#define FRAME "[frame a]\nfile = *\nfunction = f\n"
#define RULE  "[process a]\nprogram = a\ntask = a\n"

/* Of the kinds remote and wait. */
#define REMOTE "[remote r]\nservice = s\n"
#define WAIT   "[wait w]\nwait = w\n"
#define WRONG_WAITS                                                                                \
	{"[remote r]\nport = 1\n", 1, "needs service = NAME"},                                     \
		{REMOTE "wait = x\n", 1, "needs port, address, path or protocol"},                 \
		{REMOTE "port = 0\n", 3, "'0' is no port"},                                        \
		{REMOTE "port = 65536\n", 3, "'65536' is no port"},                                \
		{REMOTE "port = 5-4\n", 3, "'5-4' is no range of ports"},                          \
		{REMOTE "port = 5-\n", 3, "'5-' is no range of ports"},                            \
		{REMOTE "port = 5x\n", 3, "'5x' is no range of ports"},                            \
		{REMOTE "address = host\n", 3, "'host' is no address"},                            \
		{REMOTE "address = 10.0.0.0/33\n", 3, "is no address"},                            \
		{REMOTE "address = 10.0.0.0/\n", 3, "is no address"},                              \
		{REMOTE "address = ::/129\n", 3, "is no address"},                                 \
		{REMOTE "port = 1\npath = /x\n", 1, "make two rules of it"},                       \
		{REMOTE "port = 1\nwait = socket\n", 4, "give the finer one a name of its own"},   \
		{REMOTE "port = 1\nwait = A b\n", 4, "is no class of waits"},                      \
		{"[wait w]\ncall = flock\n", 1, "needs wait = CLASS"},                             \
		{WAIT, 1, "needs call = CALL"}, {WAIT "class = lock\n", 1, "needs call = CALL"},   \
		{WAIT "call = flok\n", 3, "there is no system call 'flok'"},                       \
		{WAIT "class = a b\n", 3, "refines one class"},                                    \
	{                                                                                          \
		WAIT "call = flock\nclass = lock\nframe = x\n", 1, "goes by call, or by class"     \
	}

static const struct wrong {
	const char *text;
	int line;
	const char *message; /* a part of it */
} wrong_texts[] = {
	{"task = x\n", 1, "begins with [KIND NAME]"},
	{"# c\n\n[walk a]\ntask = x\n", 3,
	 "there is no kind 'walk'; the kinds are: process, frame, remote, wait, path"},
	WRONG_WAITS,
	{"[frame a]\nfile = *\nquantum = x\nlabel = x\n", 1, "needs function = NAME"},
	{"[frame a]\nfunction = f\nquantum = x\nlabel = x\n", 1, "needs file = PATTERN"},
	{FRAME "label = x\n", 1, "needs quantum = VARIABLE"},
	{FRAME "quantum = x\n", 1, "needs label = PATH"},
	{FRAME "label = x\nquantum = x\n", 5, "stands in front of the paths"},
	{FRAME "quantum = x.y\n", 4, "'x.y' is no local variable"},
	{FRAME "quantum = a b c d e f g\n", 4, "more than 6 local variables"},
	{FRAME "quantum = x\nlabel = x..y\n", 5, "a name is missing"},
	{FRAME "quantum = x\nlabel = x | upper\n", 5, "upper"},
	{FRAME "quantum = x\nlabel = x\ndataid = x | uuid\n", 6, "'dataid' has no steps"},
	{FRAME "quantum = x\nlabel = x\ndataid = x by 1\n", 6, "a name is missing"},
	{FRAME "quantum = x\nfield = x\n", 5, "is written: field NAME = value"},
	{FRAME "quantum = x\nfield a = x\nfield a = x\n", 6, "field 'a' is there already"},
	{FRAME "quantum = x\ncalls = getrusage nocall\n", 5, "no system call 'nocall'"},
	{"[]\n", 1, "there is no kind ''"},
	{"[process]\n", 1, "has no name: [process NAME]"},
	{"[process a b]\n", 1, "is one word"},
	{"[process a/b]\n", 1, "'a/b' is no name"},
	{"[process a\n", 1, "on its own line"},
	{"[process a] # why\n", 1, "on its own line"},
	{RULE "[process a]\nprogram = b\ntask = b\n", 4, "rule 'a' is there already: wrong:1"},
	{"[process a]\nprogram a\n", 2, "a line is 'key = value'"},
	{"[process a]\ncolour = red\n", 2, "there is no key 'colour'; a process rule has: program"},
	{"[process a]\n= red\n", 2, "there is no key ''"},
	{"[process a]\nprogram =\n", 2, "'program' has no value"},
	{"[process a]\nprogram = a\nprogram = b\n", 3, "'program' is given already in line 2"},
	{"[process a]\nprogram x = a\n", 2, "'program' is written: program = value"},
	{"[process a]\ncapture = cgroup\n", 2, "'capture' is written: capture NAME = value"},
	{"[process a]\ncapture a b = cgroup\n", 2, "'capture' is written: capture NAME = value"},
	{"[process a]\ntask = a\n", 1, "matches every process"},
	{"[process a]\nprogram = a\n", 1, "gives nothing"},
	{"[process a]\nprogram = a\n" RULE, 1, "gives nothing"},
	{"[process a]\nprogram = a\ntask = a\ninherit = parent\n", 4, "gives both names"},
	{"[process a]\nprogram = a\ninherit = child\n", 3, "can only be 'parent'"},
	{"[process a]\nprogram = a b c d e f g h i j k l m n o p q\n", 2, "more than 16 words"},
	{"[process a]\nvalue-options = log\n", 2, "'log' is not the name of an option"},
	{"[process a]\nvalue-options = --log=\n", 2, "'--log=' is not the name of an option"},
	/* The environment. */
	{"[process a]\nenvironment = SLURM_*\n", 2, "'SLURM_*' is not the name of an environment"},
	{"[process a]\nenvironment = 1A\n", 2, "is not the name of an environment"},
	{"[process a]\nenvironment = CONDOR_SECURITY_SESSION\n", 2, "looks like a secret"},
	{"[process a]\nenvironment = PGPASSWORD x\n", 2, "'PGPASSWORD' looks like a secret"},
	{"[process a]\ncapture a = environment my_token\n", 2, "'my_token' looks like a secret"},
	{"[process a]\ncapture a = environment Authkey | last\n", 2, "looks like a secret"},
	{"[process a]\ncapture a = environment AWS_SECRET_ACCESS_KEY\n", 2, "looks like a secret"},
	{"[process a]\ncapture a = environment A B\n", 2,
	 "'A B' is not the name of an environment"},
	/* Captures. */
	{"[process a]\ncapture a/b = cgroup\n", 2, "'a/b' is no name for a capture"},
	{"[process a]\ncapture a = cgroup\ncapture a = program\n", 3, "given already in line 2"},
	{"[process a]\ncapture a = file x\n", 2, "there is no source 'file'; the sources are"},
	{"[process a]\ncapture a = | last\n", 2, "there is no source ''"},
	{"[process a]\ncapture a = option\n", 2, "is written: option NAME"},
	{"[process a]\ncapture a = option p\n", 2, "'p' is not the name of an option"},
	{"[process a]\ncapture a = cgroup x\n", 2, "is written: cgroup"},
	{"[process a]\ncapture a = argument 0\n", 2, "a number from 1"},
	{"[process a]\ncapture a = argument -1\n", 2, "a number from 1"},
	{"[process a]\ncapture a = argument 1x\n", 2, "a number from 1"},
	{"[process a]\ncapture a = argument 99999999999999999999\n", 2, "a number from 1"},
	{"[process a]\ncapture a = cgroup | behind x\n", 2, "there is no step 'behind'"},
	{"[process a]\ncapture a = cgroup | after\n", 2, "the step 'after' needs a text"},
	{"[process a]\ncapture a = cgroup | last 2\n", 2, "the step 'last' has no text"},
	{"[process a]\ncapture a = cgroup |\n", 2, "no step between"},
	{"[process a]\ncapture a = cgroup | last || first\n", 2, "no step between"},
	{"[process a]\ncapture a = cgroup|last|last|last|last|last|last|last|last|last\n", 2,
	 "more than 8 steps"},
	/* Names. */
	{"[process a]\nprogram = a\ntask = {b}\n", 3, "there is no capture 'b'"},
	{"[process a]\nprogram = a\njob = {b|text}\n", 3, "there is no capture 'b'"},
	{"[process a]\nprogram = a\ncapture b = cgroup\ntask = {b|text|b}\n", 4,
	 "there is no capture 'text'"},
	{"[process a]\nprogram = a\ncapture b = cgroup\ncapture c = cgroup\ntask = {b|d}\n", 4,
	 "capture 'c' is not used"},
	{"[process a]\nprogram = a\ntask = {b\n", 3, "braces that do not pair"},
	{"[process a]\nprogram = a\ntask = b}\n", 3, "braces that do not pair"},
	{"[process a]\nprogram = a\ntask = {{b}}\n", 3, "braces that do not pair"},
};

struct told {
	int count;
	struct rules_error first, last;
};

static void note_error(const struct rules_error *error, void *context)
{
	struct told *told = context;

	if (!told->count++)
		told->first = *error;
	told->last = *error;
}

static void expect_wrong(struct rules *rules, const char *text, size_t size, int line,
			 const char *message)
{
	size_t before = rules__count(rules), variables_before, variables;
	struct told told = {0};

	rules__environment_names(rules, &variables_before);
	assert_int_equal(rules__add_text(rules, "wrong", text, size, note_error, &told), -EBADMSG);
	if (told.count != 1 || told.first.line != line || !strstr(told.first.message, message))
		fail_msg("%d errors, the first in line %d: %s; not line %d: %s\n%.200s", told.count,
			 told.first.line, told.first.message, line, message, text);
	assert_string_equal(told.first.path, "wrong");
	/* All or nothing. */
	rules__environment_names(rules, &variables);
	assert_int_equal(rules__count(rules), before);
	assert_int_equal(rules__file_count(rules), 0);
	assert_int_equal(variables, variables_before);
}

static void test_wrong_rules_are_told_by_line(void **state)
{
	struct rules *rules = new_rules();

	(void)state;
	for (size_t i = 0; i < COUNT(wrong_texts); i++)
		expect_wrong(rules, wrong_texts[i].text, strlen(wrong_texts[i].text),
			     wrong_texts[i].line, wrong_texts[i].message);
	assert_string_equal(task_of(rules, "a"), "a");
	assert_string_equal(task_of(rules, "pipetask"), "pipetask");
	rules__free(rules);
}

static void test_every_error_of_a_file_is_told(void **state)
{
	static const char text[] =
		"colour\n[process a]\ncolour = red\nprogram = a\n[walk b]\n"
		"x = y\nz\n[process c]\nprogram = c\n";
	struct rules *rules = new_rules();
	struct told told = {0};

	(void)state;
	assert_int_equal(rules__add_text(rules, "t", text, strlen(text), note_error, &told),
			 -EBADMSG);
	assert_int_equal(told.count, 4); /* lines 1, 3, 5, 8 */
	assert_int_equal(told.first.line, 1);
	assert_int_equal(told.last.line, 8);
	assert_int_equal(rules__add_text(rules, "t", text, strlen(text), NULL, NULL), -EBADMSG);
	rules__free(rules);
}

/* Repeats text, which has room for a number, until it is told to be wrong. */
static char *repeat(const char *format, int count, size_t *ret_size)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, ret_size);

	assert_non_null(stream);
	for (int i = 0; i < count; i++)
		fprintf(stream, format, i, i);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void test_limits_of_the_grammar(void **state)
{
	struct rules *rules = new_rules();
	size_t size, builtin_count = rules__count(rules), variable_count;
	struct told told = {0};
	char *text, line[8200];

	(void)state;
	/* Rules: as many as fit, and one more. */
	text = repeat("[process a%d]\nprogram = a\ntask = %d\n", RULES_MAX - (int)builtin_count + 1,
		      &size);
	expect_wrong(rules, text, size, 3 * (int)(RULES_MAX - builtin_count) + 1,
		     "more than 1024 rules");
	free(text);

	/* Variables of all rules together. */
	rules__environment_names(rules, &variable_count);
	text = repeat("[process a%d]\nenvironment = VARIABLE_%d\ntask = a\n",
		      RULES_ENVIRONMENT_MAX - (int)variable_count + 1, &size);
	expect_wrong(rules, text, size, 3 * (RULES_ENVIRONMENT_MAX - (int)variable_count) + 2,
		     "too many environment variables");
	free(text);

	/* Conditions and captures of one rule. */
	text = repeat("word = a%d\n", 17, &size);
	snprintf(line, sizeof(line), "[process a]\n%s", text);
	expect_wrong(rules, line, strlen(line), 18, "more than 16 conditions");
	free(text);
	text = repeat("capture a%d = argument 1%d\n", 17, &size);
	snprintf(line, sizeof(line), "[process a]\n%s", text);
	expect_wrong(rules, line, strlen(line), 18, "more than 16 captures");
	free(text);

	/* Lines, patterns, names. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "#", 1);
	expect_wrong(rules, line, 4097, 1, "a line of more than 4096 bytes");
	assert_int_equal(rules__add_text(rules, "t", line, 4096, note_error, &told), 0);
	assert_int_equal(told.count, 0);
	memset(line, 'x', sizeof(line));
	memcpy(line, "[process a]\nword = ", 19);
	expect_wrong(rules, line, 19 + 257, 2, "a pattern of more than 256 bytes");
	memcpy(line, "[process a]\ntask = ", 19);
	expect_wrong(rules, line, 19 + 257, 2, "a name of more than 256 bytes");
	expect_wrong(rules, "[process a]\nwo\0rd = x\n", 22, 2, "a control character");
	expect_wrong(rules, "# \x1b[2J\n", 7, 1, "a control character");

	/* Errors. */
	text = repeat("wrong %d %d\n", RULES_ERRORS_MAX + 10, &size);
	assert_int_equal(rules__add_text(rules, "t", text, size, note_error, &told), -EBADMSG);
	assert_int_equal(told.count, RULES_ERRORS_MAX);
	free(text);
	rules__free(rules);
}

/* --- Files. */

static void write_file(const char *path, const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void test_files(void **state)
{
	static const char own[] =
		"#\n[process first]\nprogram = a\ntask = first\n"
		"[process second]\nprogram = a b\ntask = second"; /* no newline */
	char folder[] = "/tmp/test_rules.XXXXXX", path[64];
	struct rules *rules = new_rules();
	struct rules_error error = {0};
	_cleanup_free_ char *large = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	assert_int_equal(rules__add_file(rules, path, &error), -ENOENT);
	assert_int_equal(error.line, 0);
	assert_string_equal(error.path, path);
	assert_string_equal(error.message, "No such file or directory");
	assert_int_equal(rules__add_file(rules, folder, &error), -EINVAL);
	assert_string_equal(error.message, "not a regular file");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(rules__add_file(rules, path, &error), -EINVAL);
	assert_int_equal(unlink(path), 0);

	large = malloc(RULES_FILE_LIMIT + 1);
	assert_non_null(large);
	memset(large, '\n', RULES_FILE_LIMIT + 1);
	write_file(path, large, RULES_FILE_LIMIT + 1);
	assert_int_equal(rules__add_file(rules, path, &error), -EFBIG);
	assert_string_equal(error.message, "larger than 1 MiB");
	write_file(path, large, RULES_FILE_LIMIT);
	assert_int_equal(rules__add_file(rules, path, &error), 0);

	/* Of two errors the first. */
	write_file(path, "[process a]\nx\ny\n", 16);
	assert_int_equal(rules__add_file(rules, path, &error), -EBADMSG);
	assert_int_equal(error.line, 2);
	assert_string_equal(error.path, path);

	write_file(path, own, strlen(own));
	assert_int_equal(rules__add_file(rules, path, &error), 0);
	assert_int_equal(rules__file_count(rules), 2);
	assert_string_equal(task_of(rules, "a"), "first");
	assert_string_equal(task_of(rules, "b"), "second");
	/* Names of files are taken; those of built-in rules are not. */
	assert_int_equal(rules__add_file(rules, path, &error), -EBADMSG);
	assert_int_equal(error.line, 2);
	assert_non_null(strstr(error.message, "'first' is there already"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	rules__free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_rules_are_told_by_line),
		cmocka_unit_test(test_every_error_of_a_file_is_told),
		cmocka_unit_test(test_limits_of_the_grammar),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
