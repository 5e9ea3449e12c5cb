/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a function's code ends, and whether it jumps to its own beginning. */
#ifndef CAPTURE_CALL_CODE_H
#define CAPTURE_CALL_CODE_H

#include <stddef.h>
#include <stdint.h>

enum call_way {
	CALL_WAY_RETURN,
	CALL_WAY_JUMP, /* always taken, to `target` */
	CALL_WAY_BRANCH, /* taken or not, to `target` */
	CALL_WAY_LOADED, /* through a pointer at a fixed place: of another library's function */
	CALL_WAY_COMPUTED, /* to an address in a register or a table: a switch, or any function */
};

struct call_step {
	enum call_way way;
	uint64_t at, target; /* virtual addresses */
};

/* Takes the instructions of [vaddr, vaddr + size) apart, and gives take all that return or jump,
 * wherever to. -EBADMSG: not all of it could be taken apart; the first error of take ends it and is
 * returned. */
int call_code__each(const uint8_t *code, size_t size, uint64_t vaddr,
		    int (*take)(void *context, const struct call_step *step), void *context);

#endif
