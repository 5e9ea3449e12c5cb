// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/calls_words.h"

#include <stdbool.h>
#include <string.h>

#include "base/log.h"

#define PYTHON_3_11 0x030b

static void tell_untimed(const struct calls_figures *figures)
{
	unsigned long long left = 0, deep = 0, jumped = 0;

	for (size_t i = 0; i < figures->count; i++) {
		left += figures->rows[i].sum.left;
		deep += figures->rows[i].sum.deep;
		jumped += figures->rows[i].sum.jumped;
	}
	if (jumped)
		log__info(
			"%llu calls ended by a jump to another function, whose time is not in "
			"theirs (JSON tells of each function how many)",
			jumped);
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

static size_t pythons_from_3_11(const struct call_targets *targets)
{
	size_t count = 0;

	for (size_t i = 0; i < targets->python_count; i++)
		count += targets->pythons[i].version >= PYTHON_3_11;
	return count;
}

/* Before 3.11 a code object knows only its function's own name. */
static bool is_qualified(const char *pattern)
{
	return strchr(pattern, '.');
}

void calls_words__tell_pythons(const struct call_targets *targets)
{
	for (size_t i = 0; i < targets->python_count; i++)
		if (targets->pythons[i].version >= PYTHON_3_11)
			log__info(
				"process %d runs CPython 3.%d: of its functions only calls that "
				"come from C are seen; those from Python to Python stay inside "
				"the interpreter's loop, their share is estimated by samples",
				targets->pythons[i].pid, targets->pythons[i].version & 0xff);
}

void calls_words__tell_unfit(const char *pattern, const struct call_targets *targets)
{
	if (!targets->python_count) {
		log__warning("no function fits '%s': %s", pattern, CALLS_NO_SYMBOL);
		return;
	}
	if (!is_qualified(pattern))
		return;
	for (size_t i = 0; i < targets->python_count; i++)
		if (targets->pythons[i].version < PYTHON_3_11)
			log__warning(
				"process %d runs CPython 3.%d, whose functions have no qualified "
				"names (Class.method): '%s' fits none, give the last part alone",
				targets->pythons[i].pid, targets->pythons[i].version & 0xff,
				pattern);
}

void calls_words__tell_unmet(const char *pattern, const struct call_targets *targets)
{
	size_t later = pythons_from_3_11(targets);

	log__info(
		"no call was seen of what fits '%s'; a Python function may not have been "
		"called%s%s",
		pattern,
		later ? ", or only from Python, which is not seen from CPython 3.11 on" : "",
		later < targets->python_count && is_qualified(pattern)
			? ", or have another name: before 3.11 those of methods are without the "
			  "class"
			: "");
	log__info("of a native function that fits '%s': %s", pattern, CALLS_NO_SYMBOL);
}
