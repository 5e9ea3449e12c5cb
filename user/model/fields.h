/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named values of one row: what JSON objects and CSV lines are made of. */
#ifndef MODEL_FIELDS_H
#define MODEL_FIELDS_H

#include <stddef.h>
#include <stdint.h>

enum field_type {
	FIELD_NULL,
	FIELD_TEXT,
	FIELD_INTEGER,
	FIELD_REAL,
	FIELD_STACK /* integer: index into tables.shown, or a negative number: text is all */
};

struct field {
	const char *name; /* static */
	enum field_type type;
	const char *text; /* borrowed from the tables, or owned below */
	char *owned;
	int64_t integer;
	double real;
};

/* Starts zeroed. A failed addition sets error, and later ones do nothing. */
struct field_list {
	struct field *fields;
	size_t count, capacity;
	int error;
};

void field_list__null(struct field_list *list, const char *name);
void field_list__text(struct field_list *list, const char *name, const char *text); /* or NULL */
void field_list__own(struct field_list *list, const char *name, char *text); /* takes text */
void field_list__integer(struct field_list *list, const char *name, int64_t value);
void field_list__real(struct field_list *list, const char *name, double value);
void field_list__stack(struct field_list *list, const char *name, uint32_t shown);
void field_list__no_stack(struct field_list *list, const char *name, const char *reason);

/* Forgets the fields, keeps the room. */
void field_list__clear(struct field_list *list);
void field_list__free(struct field_list *list);

#endif
