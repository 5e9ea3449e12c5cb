/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key "time": functions of struct key, for keys.c. Its value is an index of tables.slices. */
#ifndef MODEL_TIME_KEY_H
#define MODEL_TIME_KEY_H

#include "model/keys.h"

uint64_t time_key__value(const struct tables *tables, uint32_t slice);
bool time_key__matches(const struct tables *tables, uint64_t value, const char *pattern);
const char *time_key__refusal(const char *pattern);
int time_key__compare(const struct tables *tables, uint64_t one, uint64_t other);
void time_key__describe(struct tables *tables, uint64_t value, struct field_list *list);
int time_key__label(const struct tables *tables, uint64_t value, char **ret_label);

#endif
