// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/exporter.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define MOST_SUM 4e18 /* fits an int64_t with room to spare */

static const struct exporter *const exporters[] = {
	&collapsed__exporter, &csv__exporter,	 &dot__exporter,	&perfetto__exporter,
	&pprof__exporter,     &pstats__exporter, &speedscope__exporter,
};

#define EXPORTER_COUNT (sizeof(exporters) / sizeof(exporters[0]))

const struct exporter *exporter__at(size_t position)
{
	return position < EXPORTER_COUNT ? exporters[position] : NULL;
}

const struct exporter *exporter__find(const char *name)
{
	for (size_t i = 0; i < EXPORTER_COUNT; i++)
		if (!strcmp(exporters[i]->name, name))
			return exporters[i];
	return NULL;
}

int rounding__next(struct rounding *rounding, double value, int64_t *ret_whole)
{
	int64_t whole;

	if (value > 0)
		rounding->sum += value;
	if (!(rounding->sum < MOST_SUM))
		return -EBADMSG;
	whole = llround(rounding->sum) - rounding->given;
	rounding->given += whole;
	*ret_whole = whole;
	return 0;
}
