/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the interpreters and C libraries of running Pythons offer for counting calls and
 * allocations. */
#ifndef CAPTURE_PYTHONS_H
#define CAPTURE_PYTHONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* X(NAME, "symbol"): functions, in groups: the C library's (or another allocator's), C++'s,
 * CPython's own, the interpreter's loop. */
#define PYTHONS_FUNCTIONS(X)                                                                       \
	X(MALLOC, "malloc")                                                                        \
	X(CALLOC, "calloc")                                                                        \
	X(REALLOC, "realloc")                                                                      \
	X(FREE, "free")                                                                            \
	X(POSIX_MEMALIGN, "posix_memalign")                                                        \
	X(ALIGNED_ALLOC, "aligned_alloc")                                                          \
	X(MEMALIGN, "memalign")                                                                    \
	X(NEW, "_Znwm")                                                                            \
	X(NEW_ARRAY, "_Znam")                                                                      \
	X(DELETE, "_ZdlPv")                                                                        \
	X(DELETE_ARRAY, "_ZdaPv")                                                                  \
	X(PY_OBJECT, "PyObject_Malloc")                                                            \
	X(PY_MEM, "PyMem_Malloc")                                                                  \
	X(PY_RAW, "PyMem_RawMalloc")                                                               \
	X(PY_LOOP, "_PyEval_EvalFrameDefault")

enum pythons_offer {
#define X(name, text) PYTHONS_##name,
	PYTHONS_FUNCTIONS(X)
#undef X
		PYTHONS_USDT_ENTRY, /* python:function__entry */
	PYTHONS_USDT_RETURN,
	PYTHONS_OFFERS
};

/* Pythons that offer the same. Texts are theirs. */
struct python_kind {
	uint16_t version; /* (major << 8) | minor; 0: not known */
	bool layout_known; /* its frames can be read */
	char *program; /* the file that holds the interpreter */
	char *allocator, *cxx; /* files with malloc and with operator new; NULL: none */
	bool offers[PYTHONS_OFFERS];
	pid_t *pids;
	size_t pid_count, pid_capacity;
};

struct pythons {
	struct python_kind *kinds;
	size_t count, capacity;
	size_t unread; /* processes that could not be looked into */
};

/* Looks at every process of this moment. Errors of reading /proc; -ENOMEM. */
int pythons__find(struct pythons *pythons);
void pythons__clear(struct pythons *pythons);

/* The symbol; NULL for probes. */
const char *pythons__symbol(enum pythons_offer offer);

#endif
