/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the kind "path": what kind of data a file holds (its dataset type), from its path.
 * Private to the rules of this room. */
#ifndef PROC_RULE_PATH_H
#define PROC_RULE_PATH_H

#include "proc/rule_grammar.h"
#include "proc/rule_value.h"

enum {
	PATH_PATTERNS_MAX = 16, /* of one rule */
	PATH_PARTS_MAX = 32, /* of a pattern: what stands between slashes */
	PATH_COMPONENTS_MAX = 128, /* of a path that is looked at; longer ones match nothing */
	PATH_STEPS_MAX = 20000, /* of one comparison; what needs more does not match */
};

extern const struct rule_kind rule_kind__path;

/* The dataset type that the rule gives a path; false: it does not match, or gives none. */
bool rule_path__name(const struct rule *rule, const char *path, struct rule_text *ret_text);

#endif
