// SPDX-License-Identifier: GPL-2.0-or-later
/* How far the page can be trusted: a word in its head, and at its end what is missing and why. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/page.h"

/* Counters that are no fault of the recording. */
static const char *const harmless_counters[] = {"samples", "samples_not_wanted", "epochs_on_demand",
						"late_stacks"};

static const char *const source_names[SOURCE_COUNT] = {
	[SOURCE_CPU] = "samples",   [SOURCE_OFFCPU] = "waits",
	[SOURCE_IO] = "operations", [SOURCE_CEPH] = "CephFS requests",
	[SOURCE_MEM] = "memory",    [SOURCE_ALLOC] = "allocations"};

static bool is_harmless(const char *name)
{
	for (size_t i = 0; i < sizeof(harmless_counters) / sizeof(harmless_counters[0]); i++)
		if (!strcmp(harmless_counters[i], name))
			return true;
	return false;
}

static bool is_missing(const struct summary_counter *counter)
{
	return !counter->loss && counter->value > 0 && !is_harmless(counter->name);
}

static bool is_incomplete(const struct summary_ending *ending)
{
	int64_t samples = 0;

	for (size_t i = 0; i < SOURCE_COUNT; i++)
		samples += ending->samples[i];
	return !ending->ok && samples;
}

static bool is_any_missing(const struct summary *summary)
{
	for (size_t i = 0; i < summary->ending_count; i++)
		if (is_incomplete(&summary->endings[i]))
			return true;
	for (size_t i = 0; i < summary->counter_count; i++)
		if (is_missing(&summary->counters[i]))
			return true;
	return false;
}

int page__quality(FILE *stream, const struct summary *summary, size_t width)
{
	_cleanup_free_ char *shares = NULL;
	bool lost = false;
	size_t size;
	FILE *text = open_memstream(&shares, &size);

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < summary->counter_count; i++)
		lost |= summary->counters[i].loss && summary->counters[i].value > 0;
	for (size_t i = 0; i < SOURCE_COUNT; i++) {
		const struct summary_stacks *stacks = &summary->stacks[i];

		if (stacks->python)
			fprintf(text, "%s %.1f %% of %lld %s", ftell(text) ? "," : "",
				(double)stacks->named / (double)stacks->python * 100,
				(long long)stacks->python, source_names[i]);
	}
	if (fclose(text))
		return -ENOMEM;
	return page__paragraph(
		stream, width, 2, "Quality: %lld samples, %s; %s%s%s",
		(long long)summary->stacks[SOURCE_CPU].samples, lost ? "with losses" : "none lost",
		*shares ? "Python stacks with all frames and names:" : "none in Python", shares,
		is_any_missing(summary) ? "; the end says what is missing" : "");
}

/* "93 of samples, 47 of waits" */
static char *samples_text(const struct summary_ending *ending)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; i < SOURCE_COUNT; i++)
		if (ending->samples[i])
			fprintf(stream, "%s%lld of %s", ftell(stream) ? ", " : "",
				(long long)ending->samples[i], source_names[i]);
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

int page__missing(FILE *stream, const struct summary *summary, size_t width)
{
	bool endings = false;
	int error = 0;

	if (!is_any_missing(summary))
		return 0;
	fputs("\nWhat is missing, and why\n", stream);
	for (size_t i = 0; i < summary->ending_count && !error; i++) {
		const struct summary_ending *ending = &summary->endings[i];
		_cleanup_free_ char *samples = NULL;

		if (!is_incomplete(ending))
			continue;
		endings = true;
		samples = samples_text(ending);
		if (!samples)
			return -ENOMEM;
		error = page__paragraph(stream, width, 4, "  stacks, %s: %s", samples,
					ending->meaning);
	}
	for (size_t i = 0; i < summary->counter_count && !error; i++)
		if (is_missing(&summary->counters[i]))
			error = page__paragraph(stream, width, 4, "  %lld %s",
						(long long)summary->counters[i].value,
						summary->counters[i].meaning);
	if (!error && endings)
		error = page__paragraph(stream, width, 4,
					"  --by quality tells in which tasks and files stacks end");
	return error;
}
