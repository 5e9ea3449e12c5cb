// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs the program of an FDE. Of the registers only those count from which a caller is found: rbp,
 * rsp and the return address; the rules of all others are read over. */
#include <dwarf.h>

#include "unwind.h"
#include "unwind/cfi.h"
#include "unwind/leb128.h"

#define RBP		   6
#define RSP		   7
#define RIP		   16
#define OPERAND_MASK	   0x3f
#define MAX_CFA		   262136
#define MIN_CFA		   -262144
#define MAX_RBP		   1016
#define MIN_RBP		   -1024
#define SIGNAL_CFA	   160 /* rsp + 160: rsp in the mcontext of struct rt_sigframe */
#define RULE_CFA_ONLY(cfa) PS_UNWIND_RULE(cfa, 0, PS_RBP_SAME, 0)

void cfi_program__begin(struct cfi_program *program, const struct cfi_cie *cie, uint64_t start,
			uint64_t end, const uint8_t *bytes, size_t size)
{
	program->cie = cie;
	program->cursor = cursor__of(bytes, size);
	program->location = start;
	program->end = end;
	program->problem = cie->problem;
	program->depth = 0;
	program->state = cie->initial;
}

static void fail(struct cfi_program *program, enum unwind_problem problem)
{
	if (program->problem == UNWIND_NO_PROBLEM)
		program->problem = problem;
}

/* NULL: a register that does not matter. */
static struct cfi_rule *rule_of(struct cfi_state *state, uint64_t column)
{
	switch (column) {
	case RBP:
		return &state->rbp;
	case RSP:
		return &state->rsp;
	case RIP:
		return &state->return_address;
	default:
		return NULL;
	}
}

static void set_rule(struct cfi_program *program, uint64_t column, enum cfi_form form,
		     int64_t offset)
{
	struct cfi_rule *rule = rule_of(&program->state, column);

	if (rule)
		*rule = (struct cfi_rule){.form = form, .offset = offset};
}

static void restore(struct cfi_program *program, uint64_t column)
{
	struct cfi_rule *rule = rule_of(&program->state, column);
	struct cfi_state initial;

	if (!rule)
		return;
	initial = program->cie->initial;
	*rule = *rule_of(&initial, column);
}

static int64_t factored(struct cfi_program *program, int64_t value)
{
	int64_t product;

	if (__builtin_mul_overflow(value, program->cie->data_factor, &product)) {
		fail(program, UNWIND_DAMAGED);
		return 0;
	}
	return product;
}

static int64_t read_factored(struct cfi_program *program)
{
	return factored(program, (int64_t)leb128__unsigned(&program->cursor));
}

static int64_t read_factored_signed(struct cfi_program *program)
{
	return factored(program, leb128__signed(&program->cursor));
}

static struct cursor read_block(struct cfi_program *program)
{
	uint64_t size = leb128__unsigned(&program->cursor);
	struct cursor block;

	if (size > cursor__left(&program->cursor))
		program->cursor.failed = true;
	if (program->cursor.failed)
		size = 0;
	block = cursor__of(program->cursor.at, size);
	program->cursor.at += size;
	return block;
}

static bool takes(struct cursor *cursor, uint8_t operation)
{
	return cursor__u8(cursor) == operation && !cursor->failed;
}

static bool at_end(const struct cursor *cursor)
{
	return !cursor->failed && !cursor__left(cursor);
}

/* rsp + 8 + (((rip & 15) >= n) << 3): an entry of .plt pushes 8 bytes after its first n. */
static bool is_plt(struct cursor block, uint8_t *ret_least)
{
	uint8_t least;

	if (!takes(&block, DW_OP_breg0 + RSP) || leb128__signed(&block) != 8 ||
	    !takes(&block, DW_OP_breg0 + RIP) || leb128__signed(&block) ||
	    !takes(&block, DW_OP_lit15) || !takes(&block, DW_OP_and))
		return false;
	least = cursor__u8(&block);
	if (least < DW_OP_lit0 || least > DW_OP_lit15)
		return false;
	if (!takes(&block, DW_OP_ge) || !takes(&block, DW_OP_lit3) || !takes(&block, DW_OP_shl) ||
	    !takes(&block, DW_OP_plus) || !at_end(&block))
		return false;
	*ret_least = least - DW_OP_lit0;
	return true;
}

static bool is_cfa_offset(int64_t offset)
{
	return !(offset % 8) && offset >= MIN_CFA && offset <= MAX_CFA;
}

/* [reg + n], [*(reg + n)], [*(reg + n) + 8]; 0: something else. */
static uint32_t address_expression(struct cursor block)
{
	uint8_t base = cursor__u8(&block), operation;
	int64_t offset = leb128__signed(&block);
	uint64_t added;
	uint32_t rule;

	if ((base != DW_OP_breg0 + RSP && base != DW_OP_breg0 + RBP) || !is_cfa_offset(offset))
		return 0;
	if (at_end(&block))
		return PS_UNWIND_RULE(base == DW_OP_breg0 + RSP ? PS_CFA_RSP : PS_CFA_RBP, offset,
				      PS_RBP_SAME, 0);
	rule = PS_UNWIND_RULE(base == DW_OP_breg0 + RSP ? PS_CFA_RSP_DEREF : PS_CFA_RBP_DEREF,
			      offset, PS_RBP_SAME, 0);
	if (!takes(&block, DW_OP_deref))
		return 0;
	if (at_end(&block))
		return rule;
	operation = cursor__u8(&block);
	if (operation == DW_OP_plus_uconst) {
		added = leb128__unsigned(&block);
	} else {
		added = (uint64_t)operation - DW_OP_lit0;
		if (!takes(&block, DW_OP_plus))
			return 0;
	}
	return added == 8 && at_end(&block) ? rule | PS_UNWIND_PLUS_8 : 0;
}

static void set_cfa_expression(struct cfi_program *program)
{
	struct cursor block = read_block(program);
	struct cfi_state *state = &program->state;
	uint8_t least;

	if (is_plt(block, &least))
		state->expression = PS_UNWIND_RULE(PS_CFA_PLT, least * 8, PS_RBP_SAME, 0);
	else
		state->expression = address_expression(block);
	state->cfa.form = state->expression ? CFI_KNOWN_EXPRESSION : CFI_OTHER;
}

/* A register saved where an expression says: known for *(rbp + n) only, which is where GCC keeps
 * the caller's rbp when it realigns the stack. */
static void set_expression(struct cfi_program *program)
{
	uint64_t column = leb128__unsigned(&program->cursor);
	struct cursor block = read_block(program);
	bool is_rbp = takes(&block, DW_OP_breg0 + RBP);
	int64_t offset = leb128__signed(&block);

	if (is_rbp && at_end(&block))
		set_rule(program, column, CFI_AT_RBP, offset);
	else
		set_rule(program, column, CFI_OTHER, 0);
}

static void set_value_expression(struct cfi_program *program)
{
	uint64_t column = leb128__unsigned(&program->cursor);

	read_block(program);
	set_rule(program, column, CFI_OTHER, 0);
}

/* The value is CFA + offset: nothing new when that is said of rsp with 0. */
static void set_value_offset(struct cfi_program *program, uint64_t column, int64_t offset)
{
	set_rule(program, column, column == RSP && !offset ? CFI_UNSET : CFI_OTHER, 0);
}

static void define_cfa(struct cfi_program *program, uint64_t column, int64_t offset)
{
	program->state.cfa = (struct cfi_rule){.form = CFI_REGISTER, .offset = offset};
	program->state.cfa_register = column;
}

static void remember(struct cfi_program *program)
{
	if (program->depth == CFI_MAX_REMEMBERED)
		fail(program, UNWIND_DEPTH);
	else
		program->remembered[program->depth++] = program->state;
}

static void recall(struct cfi_program *program)
{
	if (!program->depth)
		fail(program, UNWIND_DAMAGED);
	else
		program->state = program->remembered[--program->depth];
}

/* Instructions for the CFA; false: it is none of them. */
static bool execute_cfa(struct cfi_program *program, uint8_t operation)
{
	struct cursor *cursor = &program->cursor;
	uint64_t column;

	switch (operation) {
	case DW_CFA_def_cfa:
		column = leb128__unsigned(cursor);
		define_cfa(program, column, (int64_t)leb128__unsigned(cursor));
		break;
	case DW_CFA_def_cfa_sf:
		column = leb128__unsigned(cursor);
		define_cfa(program, column, read_factored_signed(program));
		break;
	case DW_CFA_def_cfa_register:
		define_cfa(program, leb128__unsigned(cursor), program->state.cfa.offset);
		break;
	case DW_CFA_def_cfa_offset:
		program->state.cfa.offset = (int64_t)leb128__unsigned(cursor);
		break;
	case DW_CFA_def_cfa_offset_sf:
		program->state.cfa.offset = read_factored_signed(program);
		break;
	case DW_CFA_def_cfa_expression:
		set_cfa_expression(program);
		break;
	default:
		return false;
	}
	return true;
}

/* Instructions without a place: those that the high bits tell apart, and the moves, are in
 * cfi_program__next(). */
static void execute(struct cfi_program *program, uint8_t operation)
{
	struct cursor *cursor = &program->cursor;
	uint64_t column;

	switch (operation) {
	case DW_CFA_nop:
		break;
	case DW_CFA_offset_extended:
		column = leb128__unsigned(cursor);
		set_rule(program, column, CFI_AT_CFA, read_factored(program));
		break;
	case DW_CFA_offset_extended_sf:
		column = leb128__unsigned(cursor);
		set_rule(program, column, CFI_AT_CFA, read_factored_signed(program));
		break;
	case DW_CFA_GNU_negative_offset_extended:
		column = leb128__unsigned(cursor);
		set_rule(program, column, CFI_AT_CFA,
			 factored(program, (int64_t)-leb128__unsigned(cursor)));
		break;
	case DW_CFA_val_offset:
		column = leb128__unsigned(cursor);
		set_value_offset(program, column, read_factored(program));
		break;
	case DW_CFA_val_offset_sf:
		column = leb128__unsigned(cursor);
		set_value_offset(program, column, read_factored_signed(program));
		break;
	case DW_CFA_restore_extended:
		restore(program, leb128__unsigned(cursor));
		break;
	case DW_CFA_undefined:
		set_rule(program, leb128__unsigned(cursor), CFI_UNDEFINED, 0);
		break;
	case DW_CFA_same_value:
		set_rule(program, leb128__unsigned(cursor), CFI_SAME, 0);
		break;
	case DW_CFA_register:
		column = leb128__unsigned(cursor);
		set_rule(program, column, leb128__unsigned(cursor) == column ? CFI_SAME : CFI_OTHER,
			 0);
		break;
	case DW_CFA_remember_state:
		remember(program);
		break;
	case DW_CFA_restore_state:
		recall(program);
		break;
	case DW_CFA_expression:
		set_expression(program);
		break;
	case DW_CFA_val_expression:
		set_value_expression(program);
		break;
	case DW_CFA_GNU_args_size: /* for exceptions */
		leb128__unsigned(cursor);
		break;
	default:
		if (!execute_cfa(program, operation))
			fail(program, UNWIND_DAMAGED);
	}
}

/* Where the instruction moves to, in *ret_location; false: it does something else. */
static bool moves(struct cfi_program *program, uint8_t operation, uint64_t *ret_location)
{
	struct cursor *cursor = &program->cursor;
	uint64_t delta, location;

	if ((operation & ~OPERAND_MASK) == DW_CFA_advance_loc) {
		delta = operation & OPERAND_MASK;
	} else if (operation == DW_CFA_advance_loc1) {
		delta = cursor__u8(cursor);
	} else if (operation == DW_CFA_advance_loc2) {
		delta = cursor__u16(cursor);
	} else if (operation == DW_CFA_advance_loc4) {
		delta = cursor__u32(cursor);
	} else if (operation == DW_CFA_set_loc) {
		if (cfi__read_pointer(program->cie->section, cursor, program->cie->pointer_encoding,
				      &location) ||
		    location < program->location) {
			fail(program, UNWIND_DAMAGED);
			location = program->location;
		}
		*ret_location = location;
		return true;
	} else {
		return false;
	}
	if (__builtin_mul_overflow(delta, program->cie->code_factor, &delta) ||
	    __builtin_add_overflow(program->location, delta, &location)) {
		fail(program, UNWIND_DAMAGED);
		location = program->location;
	}
	*ret_location = location;
	return true;
}

bool cfi_program__next(struct cfi_program *program)
{
	struct cursor *cursor = &program->cursor;
	uint64_t location;

	if (program->location >= program->end)
		return false;
	program->from = program->location;
	while (program->problem == UNWIND_NO_PROBLEM && cursor__left(cursor) && !cursor->failed) {
		uint8_t operation = cursor__u8(cursor), column = operation & OPERAND_MASK;

		if (moves(program, operation, &location)) {
			if (cursor->failed || location == program->location)
				continue;
			if (location > program->end)
				location = program->end;
			program->to = program->location = location;
			return true;
		}
		if ((operation & ~OPERAND_MASK) == DW_CFA_offset)
			set_rule(program, column, CFI_AT_CFA, read_factored(program));
		else if ((operation & ~OPERAND_MASK) == DW_CFA_restore)
			restore(program, column);
		else
			execute(program, operation);
	}
	if (cursor->failed)
		fail(program, UNWIND_DAMAGED);
	program->to = program->location = program->end;
	return true;
}

static uint32_t rbp_rule(const struct cfi_rule *rbp, enum unwind_problem *ret_problem)
{
	if (rbp->form == CFI_SAME)
		return PS_UNWIND_RULE(0, 0, PS_RBP_SAME, 0);
	if (rbp->form == CFI_UNDEFINED)
		return PS_UNWIND_RULE(0, 0, PS_RBP_LOST, 0);
	if ((rbp->form != CFI_AT_CFA && rbp->form != CFI_AT_RBP) || rbp->offset % 8 ||
	    rbp->offset < MIN_RBP || rbp->offset > MAX_RBP) {
		*ret_problem = UNWIND_RBP_RULE;
		return PS_UNWIND_RULE(0, 0, PS_RBP_LOST, 0);
	}
	return PS_UNWIND_RULE(0, 0, rbp->form == CFI_AT_CFA ? PS_RBP_AT_CFA : PS_RBP_AT_RBP,
			      rbp->offset);
}

/* DWARF's numbers of registers -> enum ps_unwind_cfa; 0: rows have no word for it. */
static uint32_t cfa_kind(uint64_t column)
{
	static const uint8_t kinds[] = {
		[0] = PS_CFA_RAX,   [3] = PS_CFA_RBX,	[4] = PS_CFA_RSI,
		[RBP] = PS_CFA_RBP, [RSP] = PS_CFA_RSP, [9] = PS_CFA_R9,
		[10] = PS_CFA_R10,  [11] = PS_CFA_R11,	[13] = PS_CFA_R13,
	};

	return column < sizeof(kinds) ? kinds[column] : 0;
}

static enum unwind_problem cfa_rule(const struct cfi_state *state, uint32_t *ret)
{
	switch (state->cfa.form) {
	case CFI_KNOWN_EXPRESSION:
		*ret = state->expression;
		return UNWIND_NO_PROBLEM;
	case CFI_OTHER:
		return UNWIND_CFA_EXPRESSION;
	case CFI_REGISTER:
		if (!cfa_kind(state->cfa_register))
			return UNWIND_CFA_REGISTER;
		if (!is_cfa_offset(state->cfa.offset))
			return UNWIND_CFA_OFFSET;
		*ret = PS_UNWIND_RULE(cfa_kind(state->cfa_register), state->cfa.offset, PS_RBP_SAME,
				      0);
		return UNWIND_NO_PROBLEM;
	default:
		return UNWIND_CFA_MISSING;
	}
}

uint32_t cfi_program__rule(const struct cfi_program *program, enum unwind_problem *ret_problem)
{
	const struct cfi_state *state = &program->state;
	enum unwind_problem problem = program->problem;
	uint32_t rule = 0;

	if (problem == UNWIND_NO_PROBLEM && program->cie->signal) {
		if (state->cfa.form == CFI_KNOWN_EXPRESSION &&
		    state->expression ==
			    PS_UNWIND_RULE(PS_CFA_RSP_DEREF, SIGNAL_CFA, PS_RBP_SAME, 0)) {
			*ret_problem = UNWIND_NO_PROBLEM;
			return RULE_CFA_ONLY(PS_CFA_SIGNAL);
		}
		problem = UNWIND_SIGNAL_FRAME;
	}
	if (problem == UNWIND_NO_PROBLEM && state->return_address.form == CFI_UNDEFINED) {
		*ret_problem = UNWIND_NO_PROBLEM;
		return RULE_CFA_ONLY(PS_CFA_BOTTOM);
	}
	if (problem == UNWIND_NO_PROBLEM &&
	    (state->return_address.form != CFI_AT_CFA || state->return_address.offset != -8))
		problem = UNWIND_RETURN_ADDRESS;
	if (problem == UNWIND_NO_PROBLEM && state->rsp.form != CFI_UNSET)
		problem = UNWIND_STACK_POINTER;
	if (problem == UNWIND_NO_PROBLEM)
		problem = cfa_rule(state, &rule);
	if (problem == UNWIND_NO_PROBLEM)
		rule |= rbp_rule(&state->rbp, &problem);
	else
		rule = RULE_CFA_ONLY(PS_CFA_UNSUPPORTED);
	*ret_problem = problem;
	return rule;
}
