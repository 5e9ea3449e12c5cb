/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened, of a recording: waits, file operations, samples. Private to tables.c. */
#ifndef MODEL_EVENTS_H
#define MODEL_EVENTS_H

#include "model/tables.h"

/* After all that these rows refer to. -EBADMSG, -ENOMEM, -EIO. */
int events__load(struct tables *tables);

/* The pool of an epoch's CPU time; made when it is new. -ENOMEM. */
int tables__cpu_pool(struct tables *tables, uint32_t epoch, uint32_t *ret_pool);

/* The class of waits of this name; made when it is new. -EBADMSG: too many; -ENOMEM. */
int tables__wait_class(struct tables *tables, const char *name, uint32_t *ret_class);

#endif
