#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# many_libraries.sh FOLDER COUNT ROWS: shared libraries 0.so, 1.so, … whose .eh_frame has about so many
# rows each, for many_libraries.c. Functions are p0, p1, … (the last also many_call); each calls the one
# before it, and frames have sizes of their own. In assembler, which is quick.
set -euo pipefail

folder=$1
count=$2
rows=$3
rows_per_function=8 # with the one for the gap behind it
functions=$((rows / rows_per_function))

cat >"$folder/many.s" <<END
	.altmacro
	.macro function number previous
	.type	p\\number, @function
p\\number:
	.cfi_startproc
	push	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	push	%rbx
	.cfi_adjust_cfa_offset 8
	sub	\$(8 + 16 * ((\\number + LIBRARY) & 63)), %rsp
	.cfi_adjust_cfa_offset 8 + 16 * ((\\number + LIBRARY) & 63)
	/* p(depth, loops): the one that has no depth left does the loops. */
	.if	\\number
	test	%edi, %edi
	jz	1f
	dec	%edi
	call	p\\previous
	jmp	2f
	.endif
1:	dec	%rsi
	jnz	1b
2:	add	\$(8 + 16 * ((\\number + LIBRARY) & 63)), %rsp
	.cfi_adjust_cfa_offset -(8 + 16 * ((\\number + LIBRARY) & 63))
	pop	%rbx
	.cfi_adjust_cfa_offset -8
	pop	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size	p\\number, . - p\\number
	nop
	.endm

	.text
	.set	counter, 0
	.rept	$functions
	function %counter, %(counter - 1)
	.set	counter, counter + 1
	.endr
	.globl	many_call
	.type	many_call, @function
	.set	many_call, p$((functions - 1))
	.section .note.GNU-stack, "", @progbits
END
for ((library = 0; library < count; library++)); do
	"${AS:-as}" --defsym "LIBRARY=$library" "$folder/many.s" -o "$folder/many.o"
	"${LD:-ld}" -shared --build-id --eh-frame-hdr "$folder/many.o" -o "$folder/$library.so"
done
rm "$folder/many.s" "$folder/many.o"
