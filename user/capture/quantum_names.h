/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a quantum is called, read from the process that is at it. */
#ifndef CAPTURE_QUANTUM_NAMES_H
#define CAPTURE_QUANTUM_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "proc/frame_rule.h"

struct process;
struct python_layout;

#define QUANTUM_FIELDS	   32 /* of the data; more are left out */
#define QUANTUM_TEXT_LIMIT 256 /* bytes of a name or value, without the NUL */

struct quantum_names {
	char *text[FRAME_NAMES]; /* NULL: not known */
	struct {
		char *name, *value;
	} fields[QUANTUM_FIELDS];
	size_t field_count;
	char *dataid; /* the fields as a JSON object; NULL: none */
};

/* What cannot be read stays NULL. locals: addresses of the rule's variables' objects. */
void quantum_names__read(struct quantum_names *names, struct frame_rule *rule,
			 const struct process *process, const struct python_layout *layout,
			 const __u64 locals[PS_QUANTUM_LOCALS]);
/* The text of one value, malloc'ed. object: of the variable that its path begins with. -ENOENT:
 * there is no such value; else what reading it gave. */
int quantum_names__value(struct frame_value *value, const struct process *process,
			 const struct python_layout *layout, uint64_t object, char **ret_text);
void quantum_names__clear(struct quantum_names *names);

#endif
