/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key "quantum": functions of struct key, for keys.c. Its value is an index of tables.quanta,
 * or VALUE_UNKNOWN for a process's own time. */
#ifndef MODEL_QUANTUM_KEY_H
#define MODEL_QUANTUM_KEY_H

#include "model/keys.h"

uint64_t quantum_key__value(const struct tables *tables, uint32_t epoch);
bool quantum_key__matches(const struct tables *tables, uint64_t value, const char *pattern);
int quantum_key__compare(const struct tables *tables, uint64_t one, uint64_t other);
void quantum_key__describe(struct tables *tables, uint64_t value, struct field_list *list);
int quantum_key__label(const struct tables *tables, uint64_t value, char **ret_label);

/* "visit=12 detector=3", "" without data; malloc'ed, NULL: no memory. */
char *quantum__data_text(const struct tables *tables, const struct table_quantum *quantum);

#endif
