/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Just enough of x86-64's instructions to find the jumps in compiled code. */
#ifndef PYTHON_X86_CODE_H
#define PYTHON_X86_CODE_H

#include <stddef.h>
#include <stdint.h>

struct x86_instruction {
	size_t length; /* bytes */
	/* Of a direct jump with a displacement of 32 bits: where it goes, relative to the
	 * instruction's start; 0: it is none. Shorter ones do not leave a function. */
	int64_t jump;
};

/* Takes the instruction at code apart. -EBADMSG: there is no whole instruction that is known. */
int x86_instruction__decode(const uint8_t *code, size_t size, struct x86_instruction *ret);

#endif
