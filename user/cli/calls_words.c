// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/calls_words.h"

#include "base/log.h"

static void tell_untimed(const struct calls_figures *figures)
{
	unsigned long long left = 0, deep = 0;

	for (size_t i = 0; i < figures->count; i++) {
		left += figures->rows[i].sum.left;
		deep += figures->rows[i].sum.deep;
	}
	if (left)
		log__info("%llu calls have no time: they were left by an exception or a jump",
			  left);
	if (deep)
		log__info("%llu calls have no time: more than %d in each other", deep,
			  PS_CALLS_DEPTH);
	for (size_t i = 0; i < figures->count; i++) {
		const struct calls_row *row = &figures->rows[i];

		if (row->sum.left && row->unwatched)
			log__info(
				"%s: %llu calls have no time, its times are those of the others; "
				"it has jumps that are not watched, by which it may end",
				row->name, (unsigned long long)row->sum.left);
		if (row->sum.unknown && row->sum.deep)
			log__info(
				"%s: of %llu calls, deeper than %d counted ones, it is not known "
				"whether they are inside of another of it: not told as recursive",
				row->name, (unsigned long long)row->sum.unknown, PS_CALLS_DEPTH);
	}
}

void calls_words__tell_losses(const uint64_t *values, const struct calls_figures *figures)
{
	tell_untimed(figures);
	if (values[PS_CALLS_FULL])
		log__warning("%llu calls are not counted: too many functions or threads",
			     (unsigned long long)values[PS_CALLS_FULL]);
	if (values[PS_CALLS_SAMPLES_LOST])
		log__info("%llu frames of samples are missing in the shares that are not seen",
			  (unsigned long long)values[PS_CALLS_SAMPLES_LOST]);
	if (values[PS_CALLS_UNREADABLE])
		log__warning("%llu calls are not counted: their frame could not be read",
			     (unsigned long long)values[PS_CALLS_UNREADABLE]);
}
