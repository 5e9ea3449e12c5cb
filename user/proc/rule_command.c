// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc/rule_command.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* env → interpreter → script, and one to spare. */
#define INTERPRETER_DEPTH 4

/* Which words behind an interpreter are its own. Letters are those of its short options. */
static const struct interpreter {
	const char *names[6]; /* shell patterns for the file name */
	const char *long_values[4]; /* long options whose value is the next word */
	const char *values; /* letters with a value */
	const char *inline_code; /* letters behind which there is code, no script */
	char module; /* letter before a module's name */
	bool joined; /* the value may stand in the same word: -Wignore */
	bool plus; /* +o is an option as well */
	bool assignments; /* NAME=VALUE words stand before the command */
} interpreters[] = {
	{
		.names = {"python", "python[0-9]*", "pypy", "pypy[0-9]*"},
		.long_values = {"--check-hash-based-pycs"},
		.values = "WX",
		.inline_code = "c",
		.module = 'm',
		.joined = true,
	},
	{
		.names = {"sh", "bash", "dash", "zsh", "ksh", "ash"},
		.long_values = {"--rcfile", "--init-file"},
		.values = "oO",
		.inline_code = "cs",
		.plus = true,
	},
	{
		.names = {"env"},
		.long_values = {"--unset", "--chdir"},
		.values = "uC",
		.inline_code = "S",
		.joined = true,
		.assignments = true,
	},
};

#define INTERPRETER_COUNT (sizeof(interpreters) / sizeof(interpreters[0]))

/* What an interpreter runs. */
struct target {
	enum { TARGET_CODE, TARGET_SCRIPT, TARGET_MODULE } kind;
	const char *text; /* script or module */
	size_t first; /* index of the first word behind it, or of inline code */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static const struct interpreter *find_interpreter(const char *word)
{
	const char *name = base_name(word);

	if (*name == '-') /* a login shell */
		name++;
	for (size_t i = 0; i < INTERPRETER_COUNT; i++) {
		for (size_t j = 0; j < sizeof(interpreters[i].names) / sizeof(char *); j++) {
			const char *pattern = interpreters[i].names[j];

			if (pattern && !fnmatch(pattern, name, 0))
				return &interpreters[i];
		}
	}
	return NULL;
}

static bool is_long_value(const struct interpreter *interpreter, const char *word)
{
	for (size_t i = 0; i < sizeof(interpreter->long_values) / sizeof(char *); i++) {
		if (interpreter->long_values[i] && !strcmp(interpreter->long_values[i], word))
			return true;
	}
	return false;
}

/* One word of short options at words[at]: adds to *skip the words that are their values. true: it
 * says what runs, *ret is set. */
static bool read_letters(const struct interpreter *interpreter, const struct command *command,
			 size_t at, size_t *skip, struct target *ret)
{
	for (const char *letter = command->words[at] + 1; *letter; letter++) {
		bool joined = interpreter->joined && letter[1];

		if (interpreter->module && *letter == interpreter->module) {
			const char *next = at + 1 < command->count ? command->words[at + 1] : "";

			*ret = (struct target){TARGET_MODULE, joined ? letter + 1 : next,
					       at + (joined ? 1 : 2)};
			return true;
		}
		if (strchr(interpreter->inline_code, *letter)) {
			*ret = (struct target){TARGET_CODE, NULL, at + 1};
			return true;
		}
		if (!strchr(interpreter->values, *letter))
			continue;
		if (joined)
			break;
		++*skip;
	}
	return false;
}

static struct target find_target(const struct interpreter *interpreter,
				 const struct command *command, size_t at)
{
	struct target target;

	for (; at < command->count; at++) {
		const char *word = command->words[at];
		size_t skip = 0;

		if (interpreter->assignments && word[0] != '-' && strchr(word, '='))
			continue;
		if (word[0] != '-' && !(interpreter->plus && word[0] == '+'))
			break;
		if (!strcmp(word, "--")) {
			at++;
			break;
		}
		if (!strcmp(word, "-")) {
			/* To python the script on stdin; to the others an end of options. */
			if (interpreter->module)
				return (struct target){TARGET_CODE, NULL, at + 1};
			continue;
		}
		if (word[1] == '-') {
			at += is_long_value(interpreter, word);
			continue;
		}
		if (read_letters(interpreter, command, at, &skip, &target))
			return target;
		at += skip;
	}
	if (at > command->count)
		at = command->count;
	if (at == command->count)
		return (struct target){TARGET_CODE, NULL, at};
	return (struct target){TARGET_SCRIPT, command->words[at], at + 1};
}

/* "lsst.ctrl.mpexec.cli.pipetask" → pipetask, "package.__main__" → package. */
static void name_module(struct command *command, const char *module)
{
	size_t size = strlen(module);
	const char *start;

	if (size > 9 && !strcmp(module + size - 9, ".__main__"))
		size -= 9;
	start = memrchr(module, '.', size);
	start = start ? start + 1 : module;
	snprintf(command->name, sizeof(command->name), "%.*s", (int)(module + size - start), start);
	command->program = module;
}

static void find_program(struct command *command)
{
	command->program = command->words[0];
	command->first = 1;
	for (int depth = 0; depth < INTERPRETER_DEPTH; depth++) {
		const struct interpreter *interpreter = find_interpreter(command->program);
		struct target target;

		if (!interpreter)
			break;
		target = find_target(interpreter, command, command->first);
		command->first = target.first < command->count ? target.first : command->count;
		if (target.kind == TARGET_MODULE && *target.text) {
			name_module(command, target.text);
			return;
		}
		if (target.kind != TARGET_SCRIPT)
			break;
		command->program = target.text;
	}
	snprintf(command->name, sizeof(command->name), "%s", base_name(command->program));
}

static void split_words(struct command *command, const char *arguments, size_t size)
{
	char *to = command->text;

	if (size > COMMAND_TEXT_LIMIT)
		size = COMMAND_TEXT_LIMIT;
	command->count = 0;
	while (size && command->count < COMMAND_WORDS_MAX) {
		size_t length = strnlen(arguments, size);
		size_t kept = length < COMMAND_WORD_LIMIT ? length : COMMAND_WORD_LIMIT;
		size_t used = length < size ? length + 1 : length;

		command->words[command->count++] = to;
		memcpy(to, arguments, kept);
		to[kept] = '\0';
		to += kept + 1;
		arguments += used;
		size -= used;
	}
}

void command__read(struct command *command, const char *arguments, size_t size, const char *comm)
{
	split_words(command, arguments, arguments ? size : 0);
	if (command->count && command->words[0][0]) {
		find_program(command);
		return;
	}
	command->program = comm;
	command->first = command->count ? 1 : 0;
	snprintf(command->name, sizeof(command->name), "%s", comm);
}
