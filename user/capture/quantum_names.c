// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/quantum_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "capture/tracker.h"
#include "python/objects.h"

struct naming {
	struct quantum_names *names;
	struct python_reader reader;
	const __u64 *locals;
	json_t *json; /* the fields */
	uint64_t values; /* a tuple of the fields' values; 0: they are told themselves */
};

static int follow(struct naming *naming, struct frame_value *value, uint64_t *ret_object)
{
	return python_object__follow(&naming->reader, naming->locals[value->local], &value->path,
				     ret_object);
}

/* The value's text after its steps, malloc'ed. -ENOENT: there is none. */
static int read_value_of(struct naming *naming, struct frame_value *value, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	char uuid[PYTHON_UUID_SIZE];
	struct rule_text result;
	uint64_t object, count;
	int err = follow(naming, value, &object);

	if (!err && value->is_count) {
		err = python_object__count(&naming->reader, object, &count);
		if (!err && asprintf(&text, "%" PRIu64, count) < 0) {
			text = NULL;
			err = -ENOMEM;
		}
	} else if (!err && value->is_uuid) {
		err = python_object__uuid(&naming->reader, object, uuid);
	} else if (!err) {
		err = python_object__text(&naming->reader, object, QUANTUM_TEXT_LIMIT, &text);
	}
	if (err)
		return err;
	if (!frame_value__finish(value, value->is_uuid ? uuid : text, &result))
		return -ENOENT;
	*ret_text = strdup(result.bytes);
	return *ret_text ? 0 : -ENOMEM;
}

/* NULL: there is none, or it cannot be read. */
static char *read_value(struct naming *naming, struct frame_value *value)
{
	char *text = NULL;

	return read_value_of(naming, value, &text) ? NULL : text;
}

/* --- the data */

/* in_json: it belongs to the data themselves, as which they are stored too. */
static void add_field(struct naming *naming, const char *name, char *value, bool is_number,
		      bool in_json)
{
	struct quantum_names *names = naming->names;
	size_t at = names->field_count;

	if (at == QUANTUM_FIELDS || !value || json_object_get(naming->json, name))
		goto drop;
	if (in_json &&
	    json_object_set_new(naming->json, name,
				is_number ? json_integer((json_int_t)strtoll(value, NULL, 10))
					  : json_string(value)))
		goto drop;
	names->fields[at].name = strdup(name);
	names->fields[at].value = value;
	if (!names->fields[at].name)
		goto drop;
	names->field_count++;
	return;
drop:
	free(value);
}

/* A python_member_fn: a name of the data and its value, or its value's place. */
static int take_member(void *context, const char *key, uint64_t object)
{
	struct naming *naming = context;
	char *text = NULL;
	uint64_t number;

	if (naming->values) {
		if (python_object__number(&naming->reader, object, &number) ||
		    number > UINT32_MAX ||
		    python_object__item(&naming->reader, naming->values, (uint32_t)number, &object))
			return 0; /* implied values are not always there */
	}
	if (!python_object__text(&naming->reader, object, QUANTUM_TEXT_LIMIT, &text))
		add_field(naming, key, text,
			  !python_object__number(&naming->reader, object, &number) &&
				  number <= INT64_MAX,
			  true);
	return 0;
}

/* Whether this way led to any data. */
static bool read_dataid(struct naming *naming, struct frame_value *values,
			struct frame_value *places)
{
	uint64_t object, dict;

	if (follow(naming, values, &object))
		return false;
	dict = object;
	if (places && follow(naming, places, &dict))
		return false;
	naming->values = places ? object : 0;
	if (python_object__members(&naming->reader, dict, take_member, naming))
		return false;
	return naming->names->field_count > 0;
}

void quantum_names__read(struct quantum_names *names, struct frame_rule *rule,
			 const struct process *process, const struct python_layout *layout,
			 const __u64 locals[PS_QUANTUM_LOCALS])
{
	const struct process_memory memory = process_memory__of((pid_t)process->key.tgid);
	struct naming naming = {
		.names = names,
		.reader =
			python_reader__of(&memory.memory, layout, process->python_process.runtime),
		.locals = locals,
		.json = json_object(),
	};

	for (size_t i = 0; i < rule->path_count; i++) {
		char **text = &names->text[rule->paths[i].name];

		if (!*text)
			*text = read_value(&naming, &rule->paths[i].value);
	}
	if (!naming.json)
		return;
	for (size_t i = 0; i < rule->dataid_count; i++)
		if (read_dataid(&naming, &rule->dataids[i].values,
				rule->dataids[i].has_places ? &rule->dataids[i].places : NULL))
			break;
	naming.values = 0;
	for (size_t i = 0; i < rule->field_count; i++) {
		uint64_t object;

		if (!follow(&naming, &rule->fields[i].value, &object))
			add_field(&naming, rule->fields[i].name,
				  read_value(&naming, &rule->fields[i].value), false,
				  !rule->fields[i].value.is_count);
	}
	if (json_object_size(naming.json))
		names->dataid = json_dumps(naming.json, JSON_COMPACT);
	json_decref(naming.json);
}

int quantum_names__value(struct frame_value *value, const struct process *process,
			 const struct python_layout *layout, uint64_t object, char **ret_text)
{
	const struct process_memory memory = process_memory__of((pid_t)process->key.tgid);
	__u64 locals[PS_QUANTUM_LOCALS] = {0};
	struct naming naming = {
		.reader =
			python_reader__of(&memory.memory, layout, process->python_process.runtime),
		.locals = locals,
	};

	locals[value->local] = object;
	return read_value_of(&naming, value, ret_text);
}

void quantum_names__clear(struct quantum_names *names)
{
	for (size_t i = 0; i < FRAME_NAMES; i++)
		free(names->text[i]);
	for (size_t i = 0; i < names->field_count; i++) {
		free(names->fields[i].name);
		free(names->fields[i].value);
	}
	free(names->dataid);
	memset(names, 0, sizeof(*names));
}
