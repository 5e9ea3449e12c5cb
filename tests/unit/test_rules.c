// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "proc/rules.h"

#define MAX_VARIABLES 6
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

/* --- One process and its names. */

struct named {
	const char *comm;
	const char *command; /* words with '~' between them */
	struct environment_variable environment[MAX_VARIABLES];
	const char *cgroup;
	const struct identity *parent;
	const char *task, *job, *rule; /* what is expected */
};

#define SPAWN                                                                                      \
	"from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=6, pipe_handle=8)"
#define UUID "d2f0a3ac-6b5e-4b2f-a1bc-0a3ffb1a7f4e"

static const struct identity isr_parent = {"isr", "slurm:77", "pipetask-run"};
static const struct identity jobless_parent = {"isr", NULL, "pipetask-run"};
static const struct identity shell_parent = {"bash", "slurm:77", NULL};

static const struct named builtin_cases[] = {
	/* Labels of pipetask run. */
	{.comm = "pipetask",
	 .command = "pipetask~run~-b~repo~-p~DRP.yaml#isr~-o~out",
	 .task = "isr",
	 .rule = "pipetask-run"},
	{.command = "pipetask~run~-b~repo~--pipeline~DRP.yaml#isr",
	 .task = "isr",
	 .rule = "pipetask-run"},
	{.command = "pipetask~run~--pipeline=DRP.yaml#isr", .task = "isr", .rule = "pipetask-run"},
	{.command = "pipetask~run~-pDRP.yaml#isr", .task = "isr", .rule = "pipetask-run"},
	{.command = "pipetask~run~-p~DRP.yaml#isr,calibrate~-j~8",
	 .task = "isr,calibrate",
	 .rule = "pipetask-run"},
	{.command = "pipetask~run~-p~A.yaml#isr~-p~B.yaml#makeWarp",
	 .task = "makeWarp",
	 .rule = "pipetask-run"},
	{.command = "pipetask~run~-p~A.yaml#isr~-p~B.yaml",
	 .task = "pipetask run",
	 .rule = "pipetask-run"},
	{.command = "pipetask~run~-p~DRP.yaml#", .task = "pipetask run", .rule = "pipetask-run"},
	{.command = "pipetask~run~-p", .task = "pipetask run", .rule = "pipetask-run"},
	{.command = "pipetask~run~-b~repo~-g~x.qgraph",
	 .task = "pipetask run",
	 .rule = "pipetask-run"},
	{.command = "pipetask~run~--pipeline-dot=x#y",
	 .task = "pipetask run",
	 .rule = "pipetask-run"},
	{.command = "pipetask~run~--~-p~DRP.yaml#isr",
	 .task = "pipetask run",
	 .rule = "pipetask-run"},
	/* Global options in front of the subcommand. */
	{.command = "pipetask~--long-log~run-qbb~repo~x.qg~--qgraph-node-id~" UUID,
	 .task = "pipetask run-qbb",
	 .rule = "pipetask"},
	{.command = "pipetask~--log-level~run~run-qbb~repo~x.qg",
	 .task = "pipetask run-qbb",
	 .rule = "pipetask"},
	{.command = "pipetask~--log-level=DEBUG~--log-file~-p~run~-p~DRP.yaml#isr",
	 .task = "isr",
	 .rule = "pipetask-run"},
	{.command = "pipetask~--log-label~a=b~--no-log-tty~qgraph~-p~DRP.yaml#isr",
	 .task = "pipetask qgraph",
	 .rule = "pipetask"},
	{.command = "pipetask~build~-p~DRP.yaml", .task = "pipetask build", .rule = "pipetask"},
	{.command = "pipetask~pre-exec-init-qbb~repo~x.qg",
	 .task = "pipetask pre-exec-init-qbb",
	 .rule = "pipetask"},
	{.command = "pipetask~--help", .task = "pipetask", .rule = "pipetask"},
	{.command = "pipetask~--log-level", .task = "pipetask", .rule = "pipetask"},
	{.command = "pipetask", .task = "pipetask", .rule = "pipetask"},
	/* Interpreters and wrappers. */
	{.command = "python3~-X~importtime~/opt/a/bin/pipetask~run~-p~D.yaml#isr",
	 .task = "isr",
	 .rule = "pipetask-run"},
	{.command = "/usr/bin/python3.11~-Wignore~-bbsE~-X~dev~/opt/bin/pipetask~run~-p~D#isr",
	 .task = "isr",
	 .rule = "pipetask-run"},
	{.command = "python~--check-hash-based-pycs~never~/opt/bin/pipetask~build",
	 .task = "pipetask build",
	 .rule = "pipetask"},
	{.command = "python3~--~/opt/bin/pipetask~build",
	 .task = "pipetask build",
	 .rule = "pipetask"},
	{.command = "python3~-m~lsst.ctrl.mpexec.cli.pipetask~run~-p~D.yaml#isr",
	 .task = "isr",
	 .rule = "pipetask-run"},
	{.command = "python3.13t~-Esm~pipetask~build",
	 .task = "pipetask build",
	 .rule = "pipetask"},
	{.command = "python3~-mpipetask~build", .task = "pipetask build", .rule = "pipetask"},
	{.command = "python3~-m~pipetask.__main__~build",
	 .task = "pipetask build",
	 .rule = "pipetask"},
	{.command = "bash~/opt/bin/pipetask~run~-p~D.yaml#isr",
	 .task = "isr",
	 .rule = "pipetask-run"},
	{.command = "bash~-eo~pipefail~+o~posix~--rcfile~x~/opt/bin/pipetask~build",
	 .task = "pipetask build",
	 .rule = "pipetask"},
	{.command = "/usr/bin/env~-u~HOME~-i~A=1~B=2~python3~/opt/bin/pipetask~build",
	 .task = "pipetask build",
	 .rule = "pipetask"},
	{.command = "env~--chdir~/tmp~pipetask~build",
	 .task = "pipetask build",
	 .rule = "pipetask"},
	/* What is no pipetask. */
	{.comm = "bash", .command = "bash~-c~pipetask run -p D.yaml#isr", .task = "bash"},
	{.comm = "bash", .command = "bash~-lc~-e~pipetask~build", .task = "bash"},
	{.comm = "bash", .command = "-bash", .task = "bash"},
	{.comm = "python3", .command = "python3~-c~import pipetask~build", .task = "python3"},
	{.comm = "python3", .command = "python3~-~pipetask", .task = "python3"},
	{.comm = "python3", .command = "python3~-m", .task = "python3"},
	{.comm = "python3", .command = "python3~-X", .task = "python3"},
	{.comm = "env", .command = "env~A=1", .task = "env"},
	{.comm = "vi", .command = "vi~pipetask~run", .task = "vi"},
	{.comm = "pipetask2", .command = "/opt/bin/pipetask2~run", .task = "pipetask2"},
	{.comm = "kworker/0:1", .task = "kworker/0:1"},
	{.comm = "odd\tname\xff", .task = "odd?name?"},
	{.comm = "", .command = "", .task = "?"},
	{.task = "?"},
	/* The other commands. */
	{.command = "bps~--log-level~INFO~submit~x.yaml", .task = "bps submit", .rule = "bps"},
	{.command = "python~/a/bin/bps~prepare~x.yaml", .task = "bps prepare", .rule = "bps"},
	{.command = "bps~-h", .task = "bps", .rule = "bps"},
	{.command = "butler~ingest-raws~repo", .task = "butler ingest-raws", .rule = "butler"},
	{.command = "butler~--progress~query-datasets~repo",
	 .task = "butler query-datasets",
	 .rule = "butler"},
	/* Process pools. */
	{.comm = "python3",
	 .command = "/opt/python3~-c~" SPAWN "~--multiprocessing-fork",
	 .parent = &isr_parent,
	 .task = "isr",
	 .job = "slurm:77",
	 .rule = "multiprocessing-spawn"},
	{.comm = "python3",
	 .command = "python3~-X~importtime~-c~" SPAWN "~--multiprocessing-fork",
	 .parent = &shell_parent,
	 .task = "bash",
	 .job = "slurm:77",
	 .rule = "multiprocessing-spawn"},
	{.comm = "python3",
	 .command = "python3~-c~" SPAWN "~--multiprocessing-fork",
	 .task = "python3"},
	{.comm = "python3",
	 .command = "python3~-c~" SPAWN,
	 .environment = {{"SLURM_JOB_ID", "5"}},
	 .parent = &jobless_parent,
	 .task = "isr",
	 .job = "slurm:5",
	 .rule = "multiprocessing-spawn"},
	{.comm = "python3",
	 .command = "python3~-c~from multiprocessing.forkserver import main; main(5, 6, [], **{})",
	 .parent = &isr_parent,
	 .task = "isr",
	 .job = "slurm:77",
	 .rule = "multiprocessing-forkserver"},
	{.comm = "python3",
	 .command = "python3~-c~from multiprocessing.resource_tracker import main;main(6)",
	 .parent = &isr_parent,
	 .task = "resource_tracker",
	 .job = "slurm:77",
	 .rule = "multiprocessing-resource-tracker"},
	{.comm = "python",
	 .command = "python~-c~from joblib.externals.loky.backend.resource_tracker import main; "
		    "main(4, False)",
	 .parent = &isr_parent,
	 .task = "resource_tracker",
	 .job = "slurm:77",
	 .rule = "multiprocessing-resource-tracker"},
	{.comm = "python",
	 .command = "python~-m~joblib.externals.loky.backend.popen_loky_posix~--process-name~"
		    "LokyProcess-1~--pipe~19",
	 .parent = &isr_parent,
	 .task = "isr",
	 .job = "slurm:77",
	 .rule = "loky-worker"},
	{.comm = "git",
	 .command = "git~gc",
	 .parent = &isr_parent,
	 .task = "git",
	 .job = "slurm:77"},
	/* Jobs. */
	{.comm = "pipetask",
	 .command = "pipetask~run~-p~D.yaml#isr",
	 .environment = {{"SLURM_JOB_ID", "1234"}},
	 .cgroup = "/system.slice/slurmstepd.scope/job_9/step_0",
	 .parent = &isr_parent,
	 .task = "isr",
	 .job = "slurm:1234",
	 .rule = "pipetask-run"},
	{.comm = "a",
	 .environment = {{"SLURM_JOB_ID", "1241"},
			 {"SLURM_ARRAY_JOB_ID", "1234"},
			 {"SLURM_ARRAY_TASK_ID", "7"}},
	 .task = "a",
	 .job = "slurm:1234_7"},
	{.comm = "a",
	 .environment = {{"SLURM_JOB_ID", "1241"}, {"SLURM_ARRAY_JOB_ID", "1234"}},
	 .task = "a",
	 .job = "slurm:1241"},
	{.comm = "a", .environment = {{"SLURM_JOB_ID", ""}}, .task = "a"},
	{.comm = "a",
	 .cgroup = "/system.slice/slurmstepd.scope/job_123/step_0/user/task_0",
	 .task = "a",
	 .job = "slurm:123"},
	{.comm = "a", .cgroup = "/slurm/uid_1000/job_123", .task = "a", .job = "slurm:123"},
	{.comm = "a", .cgroup = "/slurm/uid_1000/job_x", .task = "a"},
	{.comm = "a", .cgroup = "/user.slice/job_123/x", .task = "a"},
	{.comm = "a",
	 .environment = {{"_CONDOR_JOB_AD", "/var/lib/condor/execute/dir_4711/.job.ad"},
			 {"SLURM_JOB_ID", "5"}},
	 .task = "a",
	 .job = "condor:dir_4711"},
	{.comm = "a",
	 .environment = {{"_CONDOR_JOB_AD", "/elsewhere/.job.ad"}, {"SLURM_JOB_ID", "5"}},
	 .task = "a",
	 .job = "slurm:5"},
	{.comm = "a",
	 .cgroup = "/system.slice/condor.service/condor_var_lib_condor_execute_slot1_3@node17",
	 .task = "a",
	 .job = "condor:slot1_3"},
	{.comm = "a",
	 .environment = {{"PARSL_WORKER_RANK", "3"}, {"JOBNAME", "parsl.block-0"}},
	 .task = "a",
	 .job = "parsl:parsl.block-0"},
	{.comm = "a", .environment = {{"JOBNAME", "other"}}, .task = "a"},
	{.comm = "a",
	 .environment = {{"PARSL_WORKER_RANK", "3"}, {"JOBNAME", "x"}, {"SLURM_JOB_ID", "5"}},
	 .task = "a",
	 .job = "slurm:5"},
	{.comm = "a",
	 .environment = {{"PandaID", "99"}, {"SLURM_JOB_ID", "5"}},
	 .task = "a",
	 .job = "panda:99"},
	{.comm = "a",
	 .environment = {{"SLURM_JOB_ID", "1\x1b[2J\xc3\xa9\xc2\x85\n"}},
	 .task = "a",
	 .job = "slurm:1?[2J\xc3\xa9??"},
};

/* A file of rules for cases that the built-in rules have no use for. */
static const char own_rules[] =
	"# names of another pipeline\r\n"
	"[process step]\r\n"
	"program = /opt/*/step *.runner\r\n"
	"value-options = -v\r\n"
	"arguments = do* it\r\n"
	"environment = STEP_ON yes*\r\n"
	"environment = STEP_NAME\r\n"
	"capture name = environment STEP_NAME\r\n"
	"capture inputs = option -i -input | after-last / | before .\r\n"
	"task = {name}:{inputs|none}\r\n"
	"\n"
	"[process nameless-step]\n"
	"  program = step\n"
	"  capture third = argument 3\n"
	"  capture fourth = argument 4\n"
	"  task = step {third|fourth|of many}\n"
	"[process helper]\n"
	"parent = step*\n"
	"program = helper\n"
	"inherit = parent\n"
	"[process files]\n"
	"program = files\n"
	"word = *.fits\n"
	"capture files = word *.fits | like [!x]*\n"
	"capture first = word *.fits | first\n"
	"capture program = program\n"
	"task = {program}:{files}\n"
	"job = {first}\n"
	"[process job-only]\n"
	"cgroup = */batch/*\n"
	"capture where = cgroup | after-last /\n"
	"job = batch:{where}\n"
	"[process slurm-job]\n"
	"environment = SLURM_JOB_ID\n"
	"capture id = environment SLURM_JOB_ID\n"
	"capture name = environment SLURM_JOB_NAME\n"
	"job = slurm:{id}{name|}\n";

static const struct identity step_parent = {"alpha:none", "batch:b", "step"};

static const struct named own_cases[] = {
	{.command = "/opt/x/step~-v~skipped~do~it",
	 .environment = {{"STEP_ON", "yes, please"}, {"STEP_NAME", "alpha"}},
	 .task = "alpha:none",
	 .rule = "step"},
	{.command = "python~-m~a.b.runner~doing~it~-i~/a/x.1.dat~-i/b/y~-input=/z/w.dat~-input~v",
	 .environment = {{"STEP_ON", "yes"}, {"STEP_NAME", "alpha"}},
	 .task = "alpha:x,y,w",
	 .rule = "step"},
	{.command = "/opt/x/step~do~it",
	 .environment = {{"STEP_ON", "no"}, {"STEP_NAME", "alpha"}},
	 .task = "step of many",
	 .rule = "nameless-step"},
	{.command = "/opt/x/step~do~it~c~d",
	 .environment = {{"STEP_ON", "yes"}},
	 .task = "step c",
	 .rule = "nameless-step"},
	{.command = "step~-q~--~a~b~-c", .task = "step -c", .rule = "nameless-step"},
	{.command = "helper",
	 .parent = &step_parent,
	 .task = "alpha:none",
	 .job = "batch:b",
	 .rule = "helper"},
	{.comm = "helper",
	 .command = "helper",
	 .parent = &isr_parent,
	 .task = "helper",
	 .job = "slurm:77"},
	{.command = "files~a.fits~xb.fits~c.fits~d.fit",
	 .task = "files:a.fits,c.fits",
	 .job = "a.fits",
	 .rule = "files"},
	{.comm = "files", .command = "files~xb.fits", .task = "files", .job = "xb.fits"},
	/* Rules of files come first, so their job stands against the built-in Slurm rule … */
	{.comm = "a",
	 .environment = {{"SLURM_JOB_ID", "5"}},
	 .cgroup = "/x/batch/b",
	 .task = "a",
	 .job = "batch:b"},
	/* … and one of the same name replaces a built-in rule. */
	{.comm = "a",
	 .environment = {{"SLURM_JOB_ID", "5"}, {"SLURM_JOB_NAME", "-night"}},
	 .task = "a",
	 .job = "slurm:5-night"},
	{.comm = "a", .environment = {{"SLURM_JOB_ID", "5"}}, .task = "a", .job = "slurm:5"},
};

static struct rules *new_rules(void)
{
	struct rules *rules = NULL;

	assert_int_equal(rules__new(&rules), 0);
	assert_non_null(rules);
	return rules;
}

/* Bytes as in /proc/PID/cmdline. */
static size_t cmdline_of(const char *command, char *bytes)
{
	size_t size = strlen(command) + 1;

	memcpy(bytes, command, size);
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '~')
			bytes[i] = '\0';
	}
	return *command ? size : 0;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void identify_one(struct rules *rules, const struct named *named, struct identity *identity)
{
	char bytes[1024];
	struct process_facts facts = {
		.comm = named->comm,
		.cgroup = named->cgroup,
		.environment = named->environment,
		.parent = named->parent,
	};

	if (named->command) {
		facts.arguments_size = cmdline_of(named->command, bytes);
		facts.arguments = bytes;
	}
	while (facts.environment_count < MAX_VARIABLES &&
	       named->environment[facts.environment_count].name)
		facts.environment_count++;
	assert_int_equal(rules__identify(rules, &facts, identity), 0);
}

static void check_cases(struct rules *rules, const struct named *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct named *named = &cases[i];
		struct identity got;

		identify_one(rules, named, &got);
		if (same(got.task, named->task) && same(got.job, named->job) &&
		    same(got.rule, named->rule))
			continue;
		fail_msg("case %zu '%s': task '%s' job '%s' rule '%s', not '%s' '%s' '%s'", i,
			 named->command ? named->command : "", got.task, got.job ? got.job : "-",
			 got.rule ? got.rule : "-", named->task, named->job ? named->job : "-",
			 named->rule ? named->rule : "-");
	}
}

static void test_builtin_rules_name_processes(void **state)
{
	struct rules *rules = new_rules();

	(void)state;
	check_cases(rules, builtin_cases, COUNT(builtin_cases));
	rules__free(rules);
}

static void refuse_errors(const struct rules_error *error, void *context)
{
	(void)context;
	fail_msg("%s:%d: %s", error->path, error->line, error->message);
}

static void add_text(struct rules *rules, const char *text)
{
	assert_int_equal(rules__add_text(rules, "own", text, strlen(text), refuse_errors, NULL), 0);
}

static void test_rules_of_files_come_first(void **state)
{
	struct rules *rules = new_rules();
	size_t builtin_count = rules__count(rules);

	(void)state;
	add_text(rules, own_rules);
	assert_int_equal(rules__file_count(rules), 6);
	assert_int_equal(rules__count(rules), builtin_count + 5); /* one is replaced */
	check_cases(rules, own_cases, COUNT(own_cases));

	/* A second file stands behind the first. */
	add_text(rules, "[process late]\nprogram = step newcomer\ntask = late\n");
	check_cases(rules, own_cases, COUNT(own_cases));
	check_cases(rules, &(struct named){.command = "newcomer", .task = "late", .rule = "late"},
		    1);
	rules__free(rules);
}

/* --- Names of environment variables. */

static bool names_hold(const struct rules *rules, const char *name)
{
	size_t count;
	const char *const *names = rules__environment_names(rules, &count);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return false;
}

static void test_only_named_variables_are_wanted(void **state)
{
	static const char *const builtin[] = {
		"SLURM_JOB_ID",	  "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID",
		"_CONDOR_JOB_AD", "PARSL_WORKER_RANK",	"JOBNAME",
		"PandaID"};
	struct rules *rules = new_rules();
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT(builtin); i++)
		assert_true(names_hold(rules, builtin[i]));
	rules__environment_names(rules, &count);
	assert_int_equal(count, COUNT(builtin));

	add_text(rules,
		 "[process panda-job]\nenvironment = MY_ID x*\nenvironment = MY_ID *x\n"
		 "capture id = environment MY_ID\njob = {id}\n");
	assert_true(names_hold(rules, "MY_ID"));
	assert_false(names_hold(rules, "PandaID")); /* its rule was replaced */
	rules__environment_names(rules, &count);
	assert_int_equal(count, COUNT(builtin));
	rules__free(rules);
}

/* --- Hostile processes. */

static void test_names_are_bounded(void **state)
{
	struct rules *rules = new_rules();
	char arguments[2048] = "pipetask\0run\0-p", *label = arguments + 16;
	struct process_facts facts = {
		.comm = "x", .arguments = arguments, .arguments_size = sizeof(arguments)};
	struct identity identity;

	(void)state;
	label[0] = '#';
	for (size_t i = 1; i + 2 < 700; i += 2)
		memcpy(label + i, "\xc3\xa9", 2);
	assert_int_equal(rules__identify(rules, &facts, &identity), 0);
	assert_int_equal(strlen(identity.task), RULES_TEXT_LIMIT);
	assert_memory_equal(identity.task + RULES_TEXT_LIMIT - 2, "\xc3\xa9", 2);

	/* An odd number of bytes in front: the last character would be cut in two. */
	label[1] = 'a';
	label[2] = 'b';
	label[3] = 'c';
	memmove(label + 4, label + 5, 600);
	assert_int_equal(rules__identify(rules, &facts, &identity), 0);
	assert_int_equal(strlen(identity.task), RULES_TEXT_LIMIT - 1);
	assert_memory_equal(identity.task + RULES_TEXT_LIMIT - 3, "\xc3\xa9", 3);

	/* Equal names are the same string. */
	struct identity again;

	assert_int_equal(rules__identify(rules, &facts, &again), 0);
	assert_ptr_equal(identity.task, again.task);
	rules__free(rules);
}

static void test_long_command_lines_are_cut(void **state)
{
	enum { SIZE = 1 << 20 };
	struct rules *rules = new_rules();
	char *arguments = malloc(SIZE);
	struct process_facts facts = {.comm = "x", .arguments = arguments, .arguments_size = SIZE};
	struct identity identity;

	(void)state;
	assert_non_null(arguments);
	/* No NUL at the end, one word of 1 MiB. */
	memset(arguments, 'x', SIZE);
	assert_int_equal(rules__identify(rules, &facts, &identity), 0);
	assert_string_equal(identity.task, "x");
	/* Empty words only: as of a process that overwrote its command line. */
	memset(arguments, '\0', SIZE);
	assert_int_equal(rules__identify(rules, &facts, &identity), 0);
	assert_string_equal(identity.task, "x");
	/* The label is found in front of a very long list of quanta. */
	memcpy(arguments, "pipetask\0run\0-p\0D#isr\0", 22);
	memset(arguments + 22, 'u', SIZE - 22);
	assert_int_equal(rules__identify(rules, &facts, &identity), 0);
	assert_string_equal(identity.task, "isr");
	free(arguments);
	rules__free(rules);
}

/* A pattern with many stars must not take exponential time. With 2^n it would not end. */
static void test_patterns_cannot_explode(void **state)
{
	static const char text[] =
		"[process a]\nword = *a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*"
		"a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\ntask = a\n";
	struct rules *rules = new_rules();
	char arguments[32768];
	struct process_facts facts = {
		.comm = "x", .arguments = arguments, .arguments_size = sizeof(arguments)};
	struct identity identity;
	struct timespec before, after;

	(void)state;
	add_text(rules, text);
	memset(arguments, 'a', sizeof(arguments));
	for (size_t i = 0; i < sizeof(arguments); i += 4096)
		arguments[i] = '\0';
	arguments[0] = 'p';
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	assert_int_equal(rules__identify(rules, &facts, &identity), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	assert_string_equal(identity.task, "x");
	assert_true(after.tv_sec - before.tv_sec < 10);
	rules__free(rules);
}

static void test_printed_rules(void **state)
{
	struct rules *rules = new_rules();
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	assert_non_null(stream);
	add_text(rules, own_rules);
	for (size_t i = 0; i < rules__file_count(rules); i++)
		rules__print(rules, i, stream);
	assert_int_equal(fclose(stream), 0);
	assert_non_null(strstr(text,
			       "own:2: process step: program /opt/*/step *.runner, "
			       "arguments do* it, environment STEP_ON yes*, "
			       "environment STEP_NAME -> task {name}:{inputs|none}\n"));
	assert_non_null(strstr(text,
			       "own:17: process helper: program helper, parent step* -> "
			       "task and job of the parent\n"));
	assert_non_null(strstr(text, " -> task {program}:{files} -> job {first}\n"));
	free(text);
	rules__free(rules);
	rules__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin_rules_name_processes),
		cmocka_unit_test(test_rules_of_files_come_first),
		cmocka_unit_test(test_only_named_variables_are_wanted),
		cmocka_unit_test(test_names_are_bounded),
		cmocka_unit_test(test_long_command_lines_are_cut),
		cmocka_unit_test(test_patterns_cannot_explode),
		cmocka_unit_test(test_printed_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
