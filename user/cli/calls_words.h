/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `pipescope calls` says of what its figures do not hold. */
#ifndef CLI_CALLS_WORDS_H
#define CLI_CALLS_WORDS_H

#include <stdint.h>

#include "capture/call_targets.h"
#include "cli/calls_print.h"

/* Of a function that no symbol names. */
#define CALLS_NO_SYMBOL                                                                            \
	"it may have no symbol, or the compiler has put it into its callers everywhere "           \
	"(inlined): then there are no calls; or be in a library that the process loads later: "    \
	"only what it has loaded at the start is looked at"

/* At the start: what of these interpreters' calls is seen. */
void calls_words__tell_pythons(const struct call_targets *targets);

/* At the start: no native function fits the pattern; says so where no Python function can, either.
 */
void calls_words__tell_unfit(const char *pattern, const struct call_targets *targets);

/* At the end, where something is Python: no native function fits, and no Python function was met.
 */
void calls_words__tell_unmet(const char *pattern, const struct call_targets *targets);

/* values: by enum ps_calls_counter. */
void calls_words__tell_losses(const uint64_t *values, const struct calls_figures *figures);

#endif
