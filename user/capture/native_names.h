/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of native code: a function's name at first sight, its line and what is inlined there
 * later, when the finisher has found it. */
#ifndef CAPTURE_NATIVE_NAMES_H
#define CAPTURE_NATIVE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/binaries.h"

struct finisher;
struct native_names;
struct stack_tree;

/* tree and finisher are borrowed; finisher NULL: no lines. NULL: no memory. */
struct native_names *native_names__new(struct stack_tree *tree, struct finisher *finisher);
void native_names__free(struct native_names *natives);

/* The frame of an address of the process in a mapping of the binary: of an instruction; of a
 * caller, one byte before its return address. interpreter: the binary is the process's own. Its id,
 * or what the tree says. */
int64_t native_names__frame(struct native_names *natives, struct binary *binary,
			    const struct mapping *mapping, uint64_t address, bool interpreter);

/* Writes what the finisher has found since the last call. */
int native_names__take(struct native_names *natives);

/* The binary is forgotten; answers about it may still come. */
void native_names__forget(struct native_names *natives, const struct binary *binary);

/* How many frames will have no lines although there is debug information. */
uint64_t native_names__missing(const struct native_names *natives);

#endif
