// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/quantum_resources.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/loading.h"

/* --- loading */

static int load_resource(struct tables *tables, struct row *row)
{
	uint32_t epoch = row__reference(row, 0, &tables->loading->epochs), quantum;
	struct table_resource resource;
	int error;

	if (epoch == NO_INDEX)
		return -EBADMSG;
	quantum = tables->epochs[epoch].quantum;
	if (quantum == NO_INDEX || tables->quanta[quantum].resource != NO_INDEX)
		return 0;
	for (int i = 0; i < TABLE_RESOURCE_COUNT; i++) {
		int64_t value = row__optional(row, i + 1, 0, INT64_MAX);

		resource.value[i] = value == NO_VALUE ? NAN : (double)value;
	}
	perf_values__clear(&resource.counters);
	if (tables->resource_count >= NO_INDEX - 1)
		return -EOVERFLOW;
	error = GROW(tables, resources, tables->resource_count, RESOURCES);
	if (error)
		return error;
	tables->quanta[quantum].resource = (uint32_t)tables->resource_count;
	tables->resources[tables->resource_count++] = resource;
	return 0;
}

static int load_counter(struct tables *tables, struct row *row)
{
	uint32_t epoch = row__reference(row, 0, &tables->loading->epochs), resource;
	int counter = perf_values__find(row__text(row, 1));
	int64_t value = row__number(row, 2, 0, INT64_MAX);
	int64_t enabled_ns = row__number(row, 3, 0, INT64_MAX);
	int64_t running_ns = row__number(row, 4, 0, INT64_MAX);

	if (epoch == NO_INDEX)
		return -EBADMSG;
	if (counter < 0 || tables->epochs[epoch].quantum == NO_INDEX)
		return 0;
	resource = tables->quanta[tables->epochs[epoch].quantum].resource;
	if (resource != NO_INDEX)
		perf_values__take(&tables->resources[resource].counters,
				  (enum ps_perf_counter)counter, (uint64_t)value,
				  (uint64_t)enabled_ns, (uint64_t)running_ns);
	return 0;
}

int table_resources__load(struct tables *tables)
{
#define X(name, column) ", " column
	static const char resources[] =
		"SELECT epoch" PS_RESOURCES(X) ", threads, rss_start_bytes, rss_end_bytes, "
					       "rss_peak_bytes, swap_start_bytes, swap_end_bytes, "
					       "swap_peak_bytes, children_rss_peak_bytes "
					       "FROM resource ORDER BY epoch";
#undef X
	int error = tables__load_rows(tables, resources, load_resource);

	return error
		       ?: tables__load_rows(tables,
					    "SELECT epoch, name, value, enabled_ns, running_ns "
					    "FROM counter ORDER BY epoch",
					    load_counter);
}

/* --- figures */

enum source_kind {
	OF_ELAPSED,
	OF_CPU,
	OF_EFFICIENCY,
	OF_USER,
	OF_SYSTEM,
	OF_WAIT, /* item: of set.classes */
	OF_COLUMN, /* item: enum table_resource_column */
	OF_CHILDREN_CPU,
	OF_CPU_WITH_CHILDREN,
	OF_WITH_CHILDREN, /* item: the column of the process's own */
	OF_COUNTER, /* item: enum ps_perf_counter */
	OF_PERF_FIGURE, /* item: enum perf_figure */
	OF_COUNTED_SHARE
};

struct figure {
	struct resource_figure shown;
	enum source_kind kind;
	uint32_t item;
	double times;
};

struct resource_set {
	struct tables *tables;
	struct figure *figures;
	size_t count, capacity;
	double *cpu; /* user_ns, system_ns of each quantum */
	uint32_t class_count;
	double *waits; /* ns: class_count of each quantum */
};

static const struct {
	const char *name, *title;
	enum resource_unit unit;
	enum source_kind kind;
	uint32_t item;
	double times;
	bool is_detail;
} fixed[] = {
	{"elapsed_s", "elapsed", UNIT_SECONDS, OF_ELAPSED, 0, 1e-9, true},
	{"cpu_s", "CPU", UNIT_SECONDS, OF_CPU, 0, 1e-9, true},
	{"efficiency", "efficiency", UNIT_SHARE, OF_EFFICIENCY, 0, 1, true},
	{"user_s", "user", UNIT_SECONDS, OF_USER, 0, 1e-9, true},
	{"system_s", "system", UNIT_SECONDS, OF_SYSTEM, 0, 1e-9, true},
#define COLUMN(field, its_title, its_unit, column, factor)                                         \
	{                                                                                          \
		field, its_title, its_unit, OF_COLUMN, column, factor, false                       \
	}
	COLUMN("rss_peak_bytes", "peak RSS", UNIT_OF_BYTES, TABLE_RSS_PEAK, 1),
	COLUMN("rss_start_bytes", "RSS at start", UNIT_OF_BYTES, TABLE_RSS_START, 1),
	COLUMN("rss_end_bytes", "RSS at end", UNIT_OF_BYTES, TABLE_RSS_END, 1),
	COLUMN("swap_start_bytes", "swap at start", UNIT_OF_BYTES, TABLE_SWAP_START, 1),
	COLUMN("swap_end_bytes", "swap at end", UNIT_OF_BYTES, TABLE_SWAP_END, 1),
	COLUMN("swap_peak_bytes", "peak swap", UNIT_OF_BYTES, TABLE_SWAP_PEAK, 1),
	COLUMN("run_queue_s", "run queue", UNIT_SECONDS, PS_RESOURCE_RUN_QUEUE, 1e-9),
	COLUMN("voluntary_switches", "voluntary switches", UNIT_NUMBER, PS_RESOURCE_VOLUNTARY, 1),
	COLUMN("involuntary_switches", "involuntary switches", UNIT_NUMBER, PS_RESOURCE_INVOLUNTARY,
	       1),
	COLUMN("migrations", "CPU migrations", UNIT_NUMBER, PS_RESOURCE_MIGRATIONS, 1),
	COLUMN("threads", "threads", UNIT_NUMBER, TABLE_THREADS, 1),
	COLUMN("minor_faults", "minor faults", UNIT_NUMBER, PS_RESOURCE_MINOR_FAULTS, 1),
	COLUMN("major_faults", "major faults", UNIT_NUMBER, PS_RESOURCE_MAJOR_FAULTS, 1),
	COLUMN("asked_read_bytes", "read, asked for", UNIT_OF_BYTES, PS_RESOURCE_ASKED_READ, 1),
	COLUMN("asked_write_bytes", "written, asked for", UNIT_OF_BYTES, PS_RESOURCE_ASKED_WRITE,
	       1),
	COLUMN("read_calls", "reads", UNIT_NUMBER, PS_RESOURCE_READ_CALLS, 1),
	COLUMN("write_calls", "writes", UNIT_NUMBER, PS_RESOURCE_WRITE_CALLS, 1),
	COLUMN("device_read_bytes", "read from device", UNIT_OF_BYTES, PS_RESOURCE_DEVICE_READ, 1),
	COLUMN("device_write_bytes", "written to device", UNIT_OF_BYTES, PS_RESOURCE_DEVICE_WRITE,
	       1),
	COLUMN("device_cancelled_bytes", "write cancelled", UNIT_OF_BYTES,
	       PS_RESOURCE_DEVICE_CANCELLED, 1),
	COLUMN("children", "children", UNIT_NUMBER, PS_RESOURCE_CHILDREN, 1),
	{"children_cpu_s", "children: CPU", UNIT_SECONDS, OF_CHILDREN_CPU, 0, 1e-9, false},
	COLUMN("children_user_s", "children: user", UNIT_SECONDS, PS_RESOURCE_CHILD_USER, 1e-9),
	COLUMN("children_system_s", "children: system", UNIT_SECONDS, PS_RESOURCE_CHILD_SYSTEM,
	       1e-9),
	COLUMN("children_rss_peak_bytes", "children: peak RSS", UNIT_OF_BYTES, TABLE_CHILD_PEAK, 1),
	COLUMN("children_voluntary_switches", "children: voluntary switches", UNIT_NUMBER,
	       PS_RESOURCE_CHILD_VOLUNTARY, 1),
	COLUMN("children_involuntary_switches", "children: involuntary switches", UNIT_NUMBER,
	       PS_RESOURCE_CHILD_INVOLUNTARY, 1),
	COLUMN("children_minor_faults", "children: minor faults", UNIT_NUMBER,
	       PS_RESOURCE_CHILD_MINOR_FAULTS, 1),
	COLUMN("children_major_faults", "children: major faults", UNIT_NUMBER,
	       PS_RESOURCE_CHILD_MAJOR_FAULTS, 1),
	COLUMN("children_asked_read_bytes", "children: read, asked for", UNIT_OF_BYTES,
	       PS_RESOURCE_CHILD_ASKED_READ, 1),
	COLUMN("children_asked_write_bytes", "children: written, asked for", UNIT_OF_BYTES,
	       PS_RESOURCE_CHILD_ASKED_WRITE, 1),
	COLUMN("children_device_read_bytes", "children: read from device", UNIT_OF_BYTES,
	       PS_RESOURCE_CHILD_DEVICE_READ, 1),
	COLUMN("children_device_write_bytes", "children: written to device", UNIT_OF_BYTES,
	       PS_RESOURCE_CHILD_DEVICE_WRITE, 1),
#undef COLUMN
	{"with_children_cpu_s", "CPU with children", UNIT_SECONDS, OF_CPU_WITH_CHILDREN, 0, 1e-9,
	 false},
#define WITH_CHILDREN(field, its_title, its_unit, column)                                          \
	{                                                                                          \
		"with_children_" field, its_title " with children", its_unit, OF_WITH_CHILDREN,    \
			column, 1, false                                                           \
	}
	WITH_CHILDREN("voluntary_switches", "voluntary switches", UNIT_NUMBER,
		      PS_RESOURCE_VOLUNTARY),
	WITH_CHILDREN("involuntary_switches", "involuntary switches", UNIT_NUMBER,
		      PS_RESOURCE_INVOLUNTARY),
	WITH_CHILDREN("minor_faults", "minor faults", UNIT_NUMBER, PS_RESOURCE_MINOR_FAULTS),
	WITH_CHILDREN("major_faults", "major faults", UNIT_NUMBER, PS_RESOURCE_MAJOR_FAULTS),
	WITH_CHILDREN("asked_read_bytes", "read", UNIT_OF_BYTES, PS_RESOURCE_ASKED_READ),
	WITH_CHILDREN("asked_write_bytes", "written", UNIT_OF_BYTES, PS_RESOURCE_ASKED_WRITE),
	WITH_CHILDREN("device_read_bytes", "read from device", UNIT_OF_BYTES,
		      PS_RESOURCE_DEVICE_READ),
	WITH_CHILDREN("device_write_bytes", "written to device", UNIT_OF_BYTES,
		      PS_RESOURCE_DEVICE_WRITE),
#undef WITH_CHILDREN
};

/* Where a sum of a process's own has its children's. */
static uint32_t column_of_children(uint32_t own)
{
	if (own >= PS_RESOURCE_ASKED_READ)
		return own + PS_RESOURCE_CHILD_ASKED_READ - PS_RESOURCE_ASKED_READ;
	return own + PS_RESOURCE_CHILD_VOLUNTARY - PS_RESOURCE_VOLUNTARY;
}
_Static_assert(PS_RESOURCE_CHILD_MAJOR_FAULTS - PS_RESOURCE_CHILD_VOLUNTARY ==
		       PS_RESOURCE_MAJOR_FAULTS - PS_RESOURCE_VOLUNTARY,
	       "the same order");

static int add_figure(struct resource_set *set, const struct figure *figure)
{
	int error = array__reserve(&set->figures, &set->capacity, sizeof(*set->figures),
				   set->count + 1);

	if (!error)
		set->figures[set->count++] = *figure;
	return error;
}

/* A name made of a word of the recording. */
static const char *named(struct tables *tables, const char *before, const char *word,
			 const char *behind)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%s%s", before, word, behind);
	return tables__intern(tables, text);
}

static int add_waits(struct resource_set *set)
{
	int error = 0;

	for (uint32_t i = 0; i < set->class_count && !error; i++) {
		const char *class = set->tables->waits_for[i];
		struct figure figure = {
			.shown = {.name = named(set->tables, "wait_", class, "_s"),
				  .title = named(set->tables, "waited: ", class, ""),
				  .unit = UNIT_SECONDS},
			.kind = OF_WAIT,
			.item = i,
			.times = 1e-9,
		};

		error = figure.shown.name && figure.shown.title ? add_figure(set, &figure)
								: -ENOMEM;
	}
	return error;
}

/* Only what was counted at all. */
static int add_counters(struct resource_set *set)
{
	bool counted[PS_PERF_COUNT] = {false}, any = false;
	int error = 0;

	for (size_t i = 0; i < set->tables->resource_count; i++)
		for (int c = 0; c < PS_PERF_COUNT; c++)
			counted[c] |= !isnan(set->tables->resources[i].counters.share[c]);
	for (uint32_t i = 0; i < PS_PERF_COUNT && !error; i++) {
		const char *name = perf_values__name((enum ps_perf_counter)i);
		bool clock = i == PS_PERF_TASK_CLOCK;
		struct figure figure = {
			.shown = {.name = clock ? "task_clock_s" : name,
				  .title = name,
				  .unit = clock ? UNIT_SECONDS : UNIT_NUMBER},
			.kind = OF_COUNTER,
			.item = i,
			.times = clock ? 1e-9 : 1,
		};

		any |= counted[i];
		if (counted[i])
			error = add_figure(set, &figure);
	}
	for (uint32_t i = 0; i < PERF_FIGURE_COUNT && any && !error; i++) {
		const char *name = perf_figure__name((enum perf_figure)i);
		bool share = *perf_figure__unit((enum perf_figure)i) == '%';
		struct figure figure = {
			.shown = {.name = name,
				  .title = name,
				  .unit = share ? UNIT_SHARE : UNIT_RATIO},
			.kind = OF_PERF_FIGURE,
			.item = i,
			.times = 1,
		};

		if (perf_figure__has_all((enum perf_figure)i, counted))
			error = add_figure(set, &figure);
	}
	if (!error && any)
		error = add_figure(set, &(struct figure){.shown = {.name = "counted_share",
								   .title = "counters counted",
								   .unit = UNIT_SHARE},
							 .kind = OF_COUNTED_SHARE,
							 .times = 1});
	return error;
}

/* The figures whose facts lie by epoch. */
static int sum_up(struct resource_set *set)
{
	const struct tables *tables = set->tables;

	set->class_count = (uint32_t)tables->class_count;
	set->cpu = calloc(tables->quantum_count + 1, 2 * sizeof(*set->cpu));
	set->waits =
		calloc(tables->quantum_count + 1, (set->class_count + 1) * sizeof(*set->waits));
	if (!set->cpu || !set->waits)
		return -ENOMEM;
	for (size_t i = 0; i < tables->usage_count; i++) {
		uint32_t quantum = tables->epochs[tables->usage[i].epoch].quantum;

		if (quantum == NO_INDEX)
			continue;
		set->cpu[2 * (size_t)quantum] += (double)tables->usage[i].user_ns;
		set->cpu[2 * (size_t)quantum + 1] += (double)tables->usage[i].system_ns;
	}
	for (size_t i = 0; i < tables->wait_count; i++) {
		uint32_t quantum = tables->epochs[tables->waits[i].epoch].quantum;

		if (quantum != NO_INDEX)
			set->waits[(size_t)quantum * set->class_count + tables->waits[i].class] +=
				tables->waits[i].ns;
	}
	return 0;
}

int resource_set__new(struct tables *tables, struct resource_set **ret_set)
{
	struct resource_set *set = calloc(1, sizeof(*set));
	int error;

	if (!set)
		return -ENOMEM;
	set->tables = tables;
	error = sum_up(set);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]) && !error; i++)
		error = add_figure(set, &(struct figure){.shown = {.name = fixed[i].name,
								   .title = fixed[i].title,
								   .unit = fixed[i].unit,
								   .is_detail = fixed[i].is_detail},
							 .kind = fixed[i].kind,
							 .item = fixed[i].item,
							 .times = fixed[i].times});
	error = error ?: add_waits(set);
	error = error ?: add_counters(set);
	if (error) {
		resource_set__free(set);
		return error;
	}
	*ret_set = set;
	return 0;
}

void resource_set__free(struct resource_set *set)
{
	if (!set)
		return;
	free(set->figures);
	free(set->cpu);
	free(set->waits);
	free(set);
}

size_t resource_set__count(const struct resource_set *set)
{
	return set->count;
}

const struct resource_figure *resource_set__figure(const struct resource_set *set, size_t figure)
{
	return &set->figures[figure].shown;
}

/* --- values */

static double least_share(const struct perf_values *values)
{
	double least = NAN;

	for (int i = 0; i < PS_PERF_COUNT; i++)
		least = fmin(least, values->share[i]);
	return least;
}

static double of_resource(const struct figure *figure, const struct table_resource *resource,
			  double cpu_ns)
{
	const double *value = resource->value;

	switch (figure->kind) {
	case OF_COLUMN:
		return value[figure->item];
	case OF_CHILDREN_CPU:
		return value[PS_RESOURCE_CHILD_USER] + value[PS_RESOURCE_CHILD_SYSTEM];
	case OF_CPU_WITH_CHILDREN:
		return cpu_ns + value[PS_RESOURCE_CHILD_USER] + value[PS_RESOURCE_CHILD_SYSTEM];
	case OF_WITH_CHILDREN:
		return value[figure->item] + value[column_of_children(figure->item)];
	case OF_COUNTER:
		return resource->counters.value[figure->item];
	case OF_PERF_FIGURE:
		return perf_figure__of((enum perf_figure)figure->item, &resource->counters);
	default:
		return least_share(&resource->counters);
	}
}

double resource_set__value(const struct resource_set *set, size_t index, uint32_t quantum)
{
	const struct table_quantum *row = &set->tables->quanta[quantum];
	const struct table_epoch *epoch = &set->tables->epochs[row->epoch];
	const struct figure *figure = &set->figures[index];
	double elapsed_ns = (double)(epoch->end_ns - epoch->start_ns);

	switch (figure->kind) {
	case OF_ELAPSED:
		return elapsed_ns * figure->times;
	case OF_CPU:
		return epoch->cpu_ns * figure->times;
	case OF_EFFICIENCY:
		return elapsed_ns > 0 ? epoch->cpu_ns / elapsed_ns : NAN;
	case OF_USER:
	case OF_SYSTEM:
		return set->cpu[2 * (size_t)quantum + (figure->kind == OF_SYSTEM)] * figure->times;
	case OF_WAIT:
		return set->waits[(size_t)quantum * set->class_count + figure->item] *
		       figure->times;
	default:
		if (row->resource == NO_INDEX)
			return NAN;
		return of_resource(figure, &set->tables->resources[row->resource], epoch->cpu_ns) *
		       figure->times;
	}
}

static int by_size(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return a < b ? -1 : a > b;
}

/* As in query_exact.c: the 95th percentile is the least value that 95 % do not exceed. */
int resource_set__spread(const struct resource_set *set, size_t figure, const uint32_t *quanta,
			 size_t count, struct resource_spread *ret_spread)
{
	const struct tables *tables = set->tables;
	struct resource_spread spread = {0};
	double *values = calloc(count + 1, sizeof(*values));
	size_t known = 0;

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct table_quantum *quantum = &tables->quanta[quanta[i]];
		double value = resource_set__value(set, figure, quanta[i]);

		if (quantum->whole && tables->epochs[quantum->epoch].end_ns < tables->end_ns &&
		    !isnan(value))
			values[known++] = value;
	}
	qsort(values, known, sizeof(*values), by_size);
	for (size_t i = 0; i < known; i++)
		spread.mean += values[i] / (double)known;
	if (known) {
		spread.count = (uint32_t)known;
		spread.median = (values[(known - 1) / 2] + values[known / 2]) / 2;
		spread.p95 = values[(known * 95 + 99) / 100 - 1];
		spread.most = values[known - 1];
	}
	free(values);
	*ret_spread = spread;
	return 0;
}
