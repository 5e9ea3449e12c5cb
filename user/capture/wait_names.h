/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What waits are called: the classes of the kernel part, and finer ones by the rules of the kinds
 * remote and wait. */
#ifndef CAPTURE_WAIT_NAMES_H
#define CAPTURE_WAIT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/remotes.h"
#include "capture/wait_sums.h"

struct wait_names;
struct recording_writer;
struct rules;
struct stack_tree;

/* Both are borrowed. NULL: no memory. */
struct wait_names *wait_names__new(struct recording_writer *writer, struct rules *rules);
void wait_names__free(struct wait_names *names); /* NULL is accepted */

struct remotes *wait_names__remotes(struct wait_names *names);

/* The class in which such waits are counted, exactly. Static, of a rule, or in buffer; NULL: the
 * writer's error, or no memory, is in *ret_error. */
const char *wait_names__class(struct wait_names *names, uint32_t class, uint64_t detail,
			      char buffer[WAIT_CLASS_NAME_SIZE], int *ret_error);

/* The finer class of a sampled wait of class `exact` (as wait_names__class calls it), by its stack;
 * `exact` itself where no rule holds. stack: node of the tree, or ROW_NULL. NULL as above. */
const char *wait_names__finer(struct wait_names *names, const struct stack_tree *tree,
			      const char *exact, int64_t stack, int *ret_error);

#endif
