/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows on their way to the writer's thread: bytes in large pieces, first in, first out. Not locked;
 * the writer does that. */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include <stddef.h>

struct row_chunk {
	struct row_chunk *next;
	size_t size, capacity; /* bytes */
	char bytes[];
};

struct row_queue {
	struct row_chunk *first, *last;
};

/* Room for size bytes at the queue's end, to be filled before the next call; NULL: no memory. */
char *row_queue__reserve(struct row_queue *queue, size_t size);

/* Moves all chunks behind those of `to`. */
void row_queue__move(struct row_queue *queue, struct row_queue *to);

/* Takes the first chunk out; NULL: empty. The caller frees it. */
struct row_chunk *row_queue__take(struct row_queue *queue);

void row_queue__clear(struct row_queue *queue);

#endif
