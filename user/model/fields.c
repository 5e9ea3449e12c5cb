// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static void add(struct field_list *list, const struct field *field)
{
	if (!list->error)
		list->error = array__reserve(&list->fields, &list->capacity, sizeof(*list->fields),
					     list->count + 1);
	if (list->error)
		free(field->owned);
	else
		list->fields[list->count++] = *field;
}

void field_list__null(struct field_list *list, const char *name)
{
	add(list, &(struct field){.name = name, .type = FIELD_NULL});
}

void field_list__text(struct field_list *list, const char *name, const char *text)
{
	if (text)
		add(list, &(struct field){.name = name, .type = FIELD_TEXT, .text = text});
	else
		field_list__null(list, name);
}

void field_list__own(struct field_list *list, const char *name, char *text)
{
	if (text)
		add(list,
		    &(struct field){.name = name, .type = FIELD_TEXT, .text = text, .owned = text});
	else if (!list->error)
		list->error = -ENOMEM;
}

void field_list__integer(struct field_list *list, const char *name, int64_t value)
{
	add(list, &(struct field){.name = name, .type = FIELD_INTEGER, .integer = value});
}

void field_list__real(struct field_list *list, const char *name, double value)
{
	add(list, &(struct field){.name = name, .type = FIELD_REAL, .real = value});
}

void field_list__stack(struct field_list *list, const char *name, uint32_t shown)
{
	add(list, &(struct field){.name = name, .type = FIELD_STACK, .integer = shown});
}

void field_list__no_stack(struct field_list *list, const char *name, const char *reason)
{
	add(list,
	    &(struct field){.name = name, .type = FIELD_STACK, .integer = -1, .text = reason});
}

void field_list__clear(struct field_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->fields[i].owned);
	list->count = 0;
	list->error = 0;
}

void field_list__free(struct field_list *list)
{
	field_list__clear(list);
	free(list->fields);
	list->fields = NULL;
	list->capacity = 0;
}
