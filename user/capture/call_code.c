// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/call_code.h"

#include <errno.h>
#include <stdbool.h>

#include "python/x86_code.h"

/* Prefixes of branch prediction, of MPX and CET and of wide registers: to jumps they mean nothing.
 */
static bool is_prefix(uint8_t byte)
{
	return byte == 0xf2 || byte == 0xf3 || byte == 0x2e || byte == 0x3e ||
	       (byte & 0xf0) == 0x40;
}

/* Jumps over one byte of distance. */
static bool is_short_branch(uint8_t opcode)
{
	return (opcode & 0xf0) == 0x70 || (opcode >= 0xe0 && opcode <= 0xe3);
}

/* Whether the instruction without its prefixes, `size` bytes, returns or jumps. */
static bool judge(const uint8_t *code, size_t size, struct call_step *step)
{
	uint8_t operand = size > 1 ? code[1] : 0;

	if ((code[0] == 0xc3 && size == 1) || (code[0] == 0xc2 && size == 3))
		step->way = CALL_WAY_RETURN;
	else if (code[0] == 0xe9 || code[0] == 0xeb)
		step->way = CALL_WAY_JUMP;
	else if (is_short_branch(code[0]) || (code[0] == 0x0f && (operand & 0xf0) == 0x80))
		step->way = CALL_WAY_BRANCH;
	else if (code[0] == 0xff && (operand >> 3 & 7) == 4)
		step->way = operand == 0x25 ? CALL_WAY_LOADED : CALL_WAY_COMPUTED;
	else
		return false;
	return true;
}

int call_code__each(const uint8_t *code, size_t size, uint64_t vaddr,
		    int (*take)(void *context, const struct call_step *step), void *context)
{
	int err = 0;

	for (uint64_t at = 0; at < size && !err;) {
		struct x86_instruction instruction;
		struct call_step step = {.at = vaddr + at};
		size_t skipped = 0, length;

		err = x86_instruction__decode(code + at, size - at, &instruction);
		if (err)
			return err;
		length = instruction.length;
		while (skipped + 1 < length && is_prefix(code[at + skipped]))
			skipped++;
		if (judge(code + at + skipped, length - skipped, &step)) {
			step.target = step.at + (uint64_t)instruction.jump;
			if (!instruction.jump) /* its last byte is the distance */
				step.target =
					step.at + length + (uint64_t)(int8_t)code[at + length - 1];
			err = take(context, &step);
		}
		at += length;
	}
	return err;
}
