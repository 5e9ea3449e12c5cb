// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/alloc_words.h"

#include <string.h>

#include "base/log.h"
#include "capture/alloc_drain.h"

void alloc_words__tell(struct alloc_drain *drain, bool quiet)
{
	struct alloc_notice notice;
	const char *least;

	if (!alloc_drain__notice(drain, &notice))
		return;
	if (notice.state == ALLOC_FAILED) {
		log__error("allocations are not recorded further: %s", strerror(-notice.error));
		return;
	}
	if (quiet)
		return;
	least = notice.at_least ? "at least " : "";
	if (notice.state == ALLOC_PREDICTED || notice.state == ALLOC_STOPPED)
		log__info(
			"allocations: %s%.3g calls per second of CPU time in a trial of %.1f s; "
			"counting all of them would make these processes %s%.3g %% slower",
			least, notice.calls, notice.trial_s, least, notice.slow_down);
	if (notice.state == ALLOC_STOPPED)
		log__warning(
			"allocations are not recorded further: --max-overhead would allow a "
			"look at them less than once a minute");
	else if (notice.share < 100)
		log__info(
			"allocations: counted %.2g %% of the time, so the expected slow-down is "
			"%.3g %% (--max-overhead)",
			notice.share, notice.predicted);
	else
		log__info("allocations: counted all the time; the expected slow-down is %.3g %%",
			  notice.predicted);
}
