/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finer classes of waits that only stacks can tell: a rule has given some samples of a class
 * another one. The class's exact sums are split in proportion to the weights of its samples: by
 * thread, and where a thread has none as its epoch's; so sums stay what they were. */
#ifndef MODEL_REFINE_H
#define MODEL_REFINE_H

#include "model/tables.h"

/* After waits and thread_waits were read, before anything else uses them; also marks
 * tables->estimated_waits. -EBADMSG, -ENOMEM, -EIO. */
int refine__split(struct tables *tables);

#endif
