/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `pipescope calls` says of what its figures do not hold. */
#ifndef CLI_CALLS_WORDS_H
#define CLI_CALLS_WORDS_H

#include <stdint.h>

#include "cli/calls_print.h"

/* values: by enum ps_calls_counter. */
void calls_words__tell_losses(const uint64_t *values, const struct calls_figures *figures);

#endif
