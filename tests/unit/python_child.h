/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process of an interpreter, in a script that tells of itself what it knows. */
#ifndef TESTS_PYTHON_CHILD_H
#define TESTS_PYTHON_CHILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "unit/python_interpreters.h"

/* Starts a script of this folder, between two pipes. */
static inline pid_t start_script(const char *command, const char *name, FILE **ret_to,
				 FILE **ret_from)
{
	char script[PATH_MAX], shell[2 * PATH_MAX + 64];
	int to[2], from[2];
	pid_t pid;

	script_path(__FILE__, name, script, sizeof(script));
	snprintf(shell, sizeof(shell), "exec env PYTHONIOENCODING=utf-8 %s '%s'", command, script);
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execl("/bin/sh", "sh", "-c", shell, (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	*ret_to = fdopen(to[1], "w");
	*ret_from = fdopen(from[0], "r");
	return pid;
}

/* A text that it told, in hexadecimal digits; "-": the empty one. */
static inline char *parse_hex(const char *hex)
{
	size_t size = strcmp(hex, "-") ? strlen(hex) / 2 : 0;
	char *text = calloc(1, size + 1);

	assert_non_null(text);
	for (size_t i = 0; i < size; i++) {
		unsigned int byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		text[i] = (char)byte;
	}
	return text;
}

/* p_vaddr of the segment at the file's start: what a mapping of offset 0 is biased against. */
static inline uint64_t first_address(int fd)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		assert_int_equal(pread(fd, &segment, sizeof(segment),
				       (off_t)(header.e_phoff + i * sizeof(segment))),
				 sizeof(segment));
		if (segment.p_type == PT_LOAD && !segment.p_offset)
			return segment.p_vaddr;
	}
	fail();
	return 0;
}

#endif
