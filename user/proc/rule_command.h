/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command line in words, and the program that people mean by it: what stands behind an
 * interpreter and its options. Private to the rules of this room. */
#ifndef PROC_RULE_COMMAND_H
#define PROC_RULE_COMMAND_H

#include <stddef.h>

enum {
	COMMAND_TEXT_LIMIT = 32768, /* bytes of a command line that are looked at */
	COMMAND_WORDS_MAX = 1024,
	COMMAND_WORD_LIMIT = 4096,
	COMMAND_NAME_LIMIT = 256, /* bytes of the program's name with the NUL */
};

struct command {
	const char *words[COMMAND_WORDS_MAX];
	size_t count;
	size_t first; /* index of the first word behind the program */
	const char *program; /* as it stands: path, or module of python -m */
	char name[COMMAND_NAME_LIMIT]; /* file name, or last part of the module's name */
	char text[COMMAND_TEXT_LIMIT + 1]; /* the words */
};

/* Fills *command, which then refers to itself and to comm (the program of a process without
 * arguments). `arguments` (may be NULL) has a NUL between the words. */
void command__read(struct command *command, const char *arguments, size_t size, const char *comm);

#endif
