/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exact sums of file operations. BPF keeps them in two places, a map and the slots of threads, and
 * moves them from slots to map at any time; so what is charged is always the sum of both, less what
 * was charged before. A sum that is seen in neither place at one look is there at the next. */
#ifndef CAPTURE_IO_SUMS_H
#define CAPTURE_IO_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "io.h"

struct io_sums;

struct io_sums *io_sums__new(void); /* NULL: no memory */
void io_sums__free(struct io_sums *sums); /* NULL is accepted */

/* Keys remembered now: those of which something may still be charged. */
size_t io_sums__count(const struct io_sums *sums);

/* A look: begin, what the map held, what the slots hold, then each. */
void io_sums__begin(struct io_sums *sums);
int io_sums__add_moved(struct io_sums *sums, const struct ps_io_key *key,
		       const struct ps_io_sum *sum);
int io_sums__add_slot(struct io_sums *sums, const struct ps_io_key *key,
		      const struct ps_io_sum *sum);

/* Calls charge for every key that has grown, with its growth and whether it is among the heavy ones
 * of this look. The first error ends it and is returned; the rest is charged at the next look. */
typedef int io_sums_charge(void *context, const struct ps_io_key *key,
			   const struct ps_io_sum *growth, int heavy);
int io_sums__each(struct io_sums *sums, io_sums_charge *charge, void *context);

#endif
