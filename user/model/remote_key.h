/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys "remote" and "service": functions of struct key, for keys.c. The value of a remote is an
 * index of tables.files. */
#ifndef MODEL_REMOTE_KEY_H
#define MODEL_REMOTE_KEY_H

#include "model/keys.h"

bool remote_key__counts(const struct tables *tables, uint32_t file);
bool remote_key__matches(const struct tables *tables, uint64_t value, const char *pattern);
void remote_key__describe(struct tables *tables, uint64_t value, struct field_list *list);

uint64_t service_key__value(const struct tables *tables, uint32_t file);

#endif
