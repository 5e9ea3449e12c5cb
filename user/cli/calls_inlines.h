/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the wanted functions the compiler has put into their callers: there are no calls of them
 * there, and nothing is counted. */
#ifndef CLI_CALLS_INLINES_H
#define CLI_CALLS_INLINES_H

#include "capture/call_targets.h"
#include "cli/pids.h"
#include "symbols/inlines.h"

/* Says so, as far as the files of the processes have debug information. */
void calls_inlines__tell(const struct pid_list *pids, const struct call_targets *targets,
			 inlines_wanted *wanted, void *context);

#endif
