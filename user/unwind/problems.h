/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why call-frame information did not become a row. */
#ifndef UNWIND_PROBLEMS_H
#define UNWIND_PROBLEMS_H

/* X(name, text): all but RBP_RULE end a walk that comes there. */
#define UNWIND_PROBLEMS(X)                                                                         \
	X(CFA_REGISTER, "cfa_register") /* relative to a register of no use */                     \
	X(CFA_EXPRESSION, "cfa_expression") /* of a shape that rows do not have */                 \
	X(CFA_OFFSET, "cfa_offset") /* too large, or no multiple of 8 */                           \
	X(CFA_MISSING, "cfa_missing") /* no rule at all */                                         \
	X(RETURN_ADDRESS, "return_address") /* not at CFA - 8 */                                   \
	X(STACK_POINTER, "stack_pointer") /* the caller's rsp is not the CFA */                    \
	X(RBP_RULE, "rbp_rule") /* rbp is taken as lost: the row is there */                       \
	X(SIGNAL_FRAME, "signal_frame") /* not the layout of struct rt_sigframe */                 \
	X(ENTRY, "entry") /* a CIE of unknown version, augmentation, or pointer encoding */        \
	X(DEPTH, "depth") /* too many remembered states */                                         \
	X(DAMAGED, "damaged") /* the rest of a function, or of the section */                      \
	X(NO_CODE, "no_code") /* describes no code of this file */

#define UNWIND_PROBLEM_ENUM(name, text) UNWIND_##name,
enum unwind_problem { UNWIND_PROBLEMS(UNWIND_PROBLEM_ENUM) UNWIND_PROBLEM_COUNT };
#undef UNWIND_PROBLEM_ENUM
#define UNWIND_NO_PROBLEM UNWIND_PROBLEM_COUNT

#endif
