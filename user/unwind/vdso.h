/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vDSO: code that the kernel maps into every process, the same one into all. */
#ifndef UNWIND_VDSO_H
#define UNWIND_VDSO_H

#include "unwind/rows.h"

/* Compiles this process's own. Errors as unwind_rows__compile(); -ENOENT: there is none. */
int unwind_vdso__compile(struct unwind_rows *ret);

#endif
