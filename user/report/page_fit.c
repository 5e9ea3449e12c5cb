// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/page_fit.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "report/packing.h"
#include "report/page_json.h"

#define FIRST_FLOOR   1e-6
#define MOST_ATTEMPTS 64
#define FAR_TOO_LARGE 1.5 /* what is estimated to be more does not fit for certain */

static const struct page_limits first_limits = {.buckets = 300,
						.processes = 2000,
						.files = 5000,
						.quanta = 4000,
						.name_bytes = 8192,
						.sample_files = PAGE_SAMPLES_BY_FILE,
						.stack_floor = 0};

/* How far limits may go before others do: from what nobody misses to what must be. */
static const struct page_limits stages[] = {
	{.buckets = 150,
	 .processes = 600,
	 .files = 1500,
	 .quanta = 1000,
	 .name_bytes = 2048,
	 .sample_files = PAGE_SAMPLES_BY_MOUNT,
	 .stack_floor = 1e-5},
	{.buckets = 60,
	 .processes = 200,
	 .files = 500,
	 .quanta = 250,
	 .name_bytes = 512,
	 .stack_floor = 2e-4},
	{.buckets = 20,
	 .processes = 16,
	 .files = 16,
	 .quanta = 16,
	 .name_bytes = 128,
	 .stack_floor = 0.02},
};

#define STAGES (sizeof(stages) / sizeof(stages[0]))

/* How much of the whole is meant for each section. */
static const double shares[PAGE_SECTIONS] = {
	[PAGE_WHO] = 0.1,     [PAGE_QUANTA] = 0.06,    [PAGE_FILES] = 0.06,
	[PAGE_COUNTED] = 0.2, [PAGE_OPERATIONS] = 0.2, [PAGE_CEPH] = 0.05,
	[PAGE_STACKS] = 0.13, [PAGE_SAMPLED] = 0.13,   [PAGE_STRINGS] = 0.07,
};

static bool halve(uint32_t *number, uint32_t least)
{
	if (*number <= least)
		return false;
	*number = *number / 2 > least ? *number / 2 : least;
	return true;
}

static bool raise_floor(double *number, double most)
{
	if (*number >= most)
		return false;
	*number = *number > 0 ? *number * 3 : FIRST_FLOOR;
	if (*number > most)
		*number = most;
	return true;
}

/* False: nothing more can be done about this section in this stage. */
static bool reduce_section(struct page_limits *limits, enum page_section section,
			   const struct page_limits *stage)
{
	switch (section) {
	case PAGE_WHO:
		return halve(&limits->quanta, stage->quanta) ||
		       halve(&limits->processes, stage->processes);
	case PAGE_QUANTA:
		return halve(&limits->quanta, stage->quanta) ||
		       halve(&limits->processes, stage->processes);
	case PAGE_FILES:
		return halve(&limits->files, stage->files);
	case PAGE_COUNTED:
	case PAGE_CEPH:
		return halve(&limits->buckets, stage->buckets) ||
		       halve(&limits->quanta, stage->quanta) ||
		       halve(&limits->processes, stage->processes);
	case PAGE_OPERATIONS:
		return halve(&limits->files, stage->files) ||
		       halve(&limits->buckets, stage->buckets) ||
		       halve(&limits->quanta, stage->quanta) ||
		       halve(&limits->processes, stage->processes);
	case PAGE_STACKS:
		return raise_floor(&limits->stack_floor, stage->stack_floor);
	case PAGE_SAMPLED:
		return halve(&limits->sample_files, stage->sample_files) ||
		       halve(&limits->buckets, stage->buckets) ||
		       halve(&limits->quanta, stage->quanta) ||
		       raise_floor(&limits->stack_floor, stage->stack_floor) ||
		       halve(&limits->processes, stage->processes);
	default:
		return halve(&limits->name_bytes, stage->name_bytes) ||
		       raise_floor(&limits->stack_floor, stage->stack_floor) ||
		       halve(&limits->files, stage->files) ||
		       halve(&limits->processes, stage->processes);
	}
}

/* What one share of the whole is, when sections that need less than is meant for them leave the
 * rest to the others. */
static double room_of_share(const struct page_text *text, double whole)
{
	double left = whole, wanted = 0;

	for (size_t i = 0; i < PAGE_SECTIONS; i++) {
		if ((double)text->sections[i] <= shares[i] * whole)
			left -= (double)text->sections[i];
		else
			wanted += shares[i];
	}
	return wanted > 0 ? left / wanted : whole;
}

/* Every section that takes more than is meant for it; whole: what there is room for, before
 * packing. False: nothing more can be done. */
static bool reduce(struct page_limits *limits, const struct page_text *text, double whole,
		   size_t *stage)
{
	double room = room_of_share(text, whole);

	for (; *stage < STAGES; (*stage)++) {
		bool reduced = false;

		for (size_t i = 0; i < PAGE_SECTIONS; i++)
			if ((double)text->sections[i] > shares[i] * room)
				reduced |= reduce_section(limits, (enum page_section)i,
							  &stages[*stage]);
		if (reduced)
			return true;
	}
	return false;
}

static int make_text(struct tables *tables, const struct summary *summary,
		     const struct page_limits *limits, struct page_text *ret_text)
{
	struct page_data *data = NULL;
	int error;

	error = page_data__new(tables, limits, &data);
	if (!error)
		error = page_json__make(tables, summary, data, ret_text);
	page_data__free(data);
	return error;
}

/* Packs a text that may fit; of one that is far too large only *ret_size is told, nearly, and
 * *ret_packed stays NULL. */
static int pack_if_near(const struct page_text *text, size_t most, char **ret_packed,
			size_t *ret_size)
{
	int error = packing__estimate(text->bytes, text->size, ret_size);

	if (error || (double)*ret_size > FAR_TOO_LARGE * (double)most)
		return error;
	return packing__pack(text->bytes, text->size, ret_packed, ret_size);
}

static uint32_t least_of(uint32_t limit, size_t count)
{
	return count < limit ? (uint32_t)count : limit;
}

/* Half of more than there is would be the same page once more. */
static struct page_limits limits_of(const struct tables *tables)
{
	struct page_limits limits = first_limits;

	limits.buckets = least_of(limits.buckets, tables->slice_count ? tables->slice_count : 1);
	limits.processes = least_of(limits.processes, tables->process_count);
	limits.files = least_of(limits.files, tables->file_count);
	limits.quanta = least_of(limits.quanta, tables->quantum_count > tables->torn_count
							? tables->quantum_count
							: tables->torn_count);
	return limits;
}

int page_fit__pack(struct tables *tables, const struct summary *summary, size_t most,
		   char **ret_text, size_t *ret_size)
{
	struct page_limits limits = limits_of(tables);
	size_t stage = 0;

	for (size_t attempt = 0;; attempt++) {
		struct page_text text = {0};
		char *packed = NULL;
		size_t size = 0;
		bool again;
		int error;

		error = make_text(tables, summary, &limits, &text);
		if (!error)
			error = pack_if_near(&text, most, &packed, &size);
		again = !error && size > most && attempt < MOST_ATTEMPTS &&
			reduce(&limits, &text, (double)text.size * (double)most / (double)size,
			       &stage);
		/* Half of a limit is more than half of the bytes. */
		for (size_t left = size / 2; again && left > most; left /= 2)
			reduce(&limits, &text, (double)text.size * (double)most / (double)size,
			       &stage);
		/* The smallest there is, though it does not fit. */
		if (!error && !again && !packed)
			error = packing__pack(text.bytes, text.size, &packed, &size);
		free(text.bytes);
		if (error) {
			free(packed);
			return error;
		}
		if (!again) {
			*ret_text = packed;
			*ret_size = size;
			return 0;
		}
		free(packed);
	}
}
