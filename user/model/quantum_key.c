// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/quantum_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define FIELD_PREFIX "dataid."

static const char own_time[] = "(own time)";
static const char not_sampled[] = "(not sampled)";

static const char *special_text(uint64_t value)
{
	return value == VALUE_NOT_SAMPLED ? not_sampled : value == VALUE_UNKNOWN ? own_time : NULL;
}

uint64_t quantum_key__value(const struct tables *tables, uint32_t epoch)
{
	uint32_t quantum = tables->epochs[epoch].quantum;

	return quantum == NO_INDEX ? VALUE_UNKNOWN : quantum;
}

char *quantum__data_text(const struct tables *tables, const struct table_quantum *quantum)
{
	char *joined = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&joined, &size);

	if (!text)
		return NULL;
	for (uint32_t at = quantum->first_datum; at != NO_INDEX; at = tables->data[at].next)
		fprintf(text, "%s%s=%s", size || at != quantum->first_datum ? " " : "",
			tables->data[at].field, tables->data[at].value);
	if (fclose(text)) {
		free(joined);
		return NULL;
	}
	return joined;
}

/* The quantum's id, or a part "field=value" of its data. */
bool quantum_key__matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	const struct table_quantum *quantum;
	char text[256];

	if (special_text(value))
		return !strcmp(pattern, special_text(value));
	quantum = &tables->quanta[value];
	if (quantum->id && pattern__matches(pattern, quantum->id))
		return true;
	for (uint32_t at = quantum->first_datum; at != NO_INDEX; at = tables->data[at].next) {
		snprintf(text, sizeof(text), "%s=%s", tables->data[at].field,
			 tables->data[at].value);
		if (pattern__matches(pattern, text))
			return true;
	}
	return !strcmp(pattern, "*");
}

static int compare_numbers(int64_t one, int64_t other)
{
	return one < other ? -1 : one > other;
}

/* In the order in which they began. */
int quantum_key__compare(const struct tables *tables, uint64_t one, uint64_t other)
{
	int order;

	if (special_text(one) || special_text(other))
		return one < other ? -1 : one > other;
	order = compare_numbers(tables->epochs[tables->quanta[one].epoch].start_ns,
				tables->epochs[tables->quanta[other].epoch].start_ns);
	return order ? order : compare_numbers((int64_t)one, (int64_t)other);
}

void quantum_key__describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	const struct table_quantum *quantum;
	const struct table_epoch *epoch;

	if (special_text(value)) {
		static const char *const others[] = {
			"quantum_index", "label",	  "class",  "run",   "dataid",	"task",
			"pid",		 "process_index", "number", "whole", "start_s", "end_s"};

		field_list__text(list, "quantum", special_text(value));
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			field_list__null(list, others[i]);
		return;
	}
	quantum = &tables->quanta[value];
	epoch = &tables->epochs[quantum->epoch];
	field_list__text(list, "quantum", quantum->id);
	field_list__integer(list, "quantum_index", (int64_t)value);
	field_list__text(list, "label", quantum->label);
	field_list__text(list, "class", quantum->class);
	field_list__text(list, "run", quantum->run);
	field_list__own(list, "dataid", quantum__data_text(tables, quantum));
	field_list__text(list, "task", epoch->task);
	field_list__integer(list, "pid", tables->processes[epoch->process].pid);
	field_list__integer(list, "process_index", epoch->process);
	field_list__integer(list, "number", quantum->number);
	field_list__integer(list, "whole", quantum->whole);
	field_list__real(list, "start_s", (double)epoch->start_ns / 1e9);
	if (epoch->end_ns < tables->end_ns)
		field_list__real(list, "end_s", (double)epoch->end_ns / 1e9);
	else
		field_list__null(list, "end_s");
}

int quantum_key__label(const struct tables *tables, uint64_t value, char **ret_label)
{
	const struct table_quantum *quantum;
	_cleanup_free_ char *data = NULL;
	char *label;

	if (special_text(value)) {
		label = strdup(special_text(value));
	} else {
		quantum = &tables->quanta[value];
		data = quantum__data_text(tables, quantum);
		if (!data)
			return -ENOMEM;
		if (asprintf(&label, "%s %s%s#%lld", quantum->label ? quantum->label : "(unread)",
			     data, *data ? " " : "", (long long)quantum->number) < 0)
			label = NULL;
	}
	if (!label)
		return -ENOMEM;
	*ret_label = label;
	return 0;
}

/* --- fields of the data */

bool key__of_field(const char *name, struct key *ret_key)
{
	size_t size = sizeof(FIELD_PREFIX) - 1;

	if (strncmp(name, FIELD_PREFIX, size) || !name[size])
		return false;
	/* As any other text of an epoch. */
	*ret_key = *key__find("job");
	ret_key->name = ret_key->title = name;
	ret_key->meaning = "a field of the quantum's data";
	ret_key->field = name + size;
	ret_key->unknown_is_null = true;
	return true;
}

uint64_t key__value(const struct key *key, const struct tables *tables, uint32_t index)
{
	uint32_t at;

	if (!key->field)
		return key->value(tables, index);
	if (tables->epochs[index].quantum == NO_INDEX)
		return 0;
	at = tables->quanta[tables->epochs[index].quantum].first_datum;
	while (at != NO_INDEX && strcmp(tables->data[at].field, key->field))
		at = tables->data[at].next;
	return at == NO_INDEX ? 0 : (uintptr_t)tables->data[at].value;
}
