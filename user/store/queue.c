// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/queue.h"

#include <stdlib.h>

#define CHUNK_SIZE (256 * 1024)

char *row_queue__reserve(struct row_queue *queue, size_t size)
{
	struct row_chunk *chunk = queue->last;
	char *at;

	if (!chunk || chunk->capacity - chunk->size < size) {
		size_t capacity = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = malloc(sizeof(*chunk) + capacity);
		if (!chunk)
			return NULL;
		*chunk = (struct row_chunk){.capacity = capacity};
		if (queue->last)
			queue->last->next = chunk;
		else
			queue->first = chunk;
		queue->last = chunk;
	}
	at = chunk->bytes + chunk->size;
	chunk->size += size;
	return at;
}

void row_queue__move(struct row_queue *queue, struct row_queue *to)
{
	if (!queue->first)
		return;
	if (to->last)
		to->last->next = queue->first;
	else
		to->first = queue->first;
	to->last = queue->last;
	*queue = (struct row_queue){0};
}

struct row_chunk *row_queue__take(struct row_queue *queue)
{
	struct row_chunk *chunk = queue->first;

	if (!chunk)
		return NULL;
	queue->first = chunk->next;
	if (!queue->first)
		queue->last = NULL;
	chunk->next = NULL;
	return chunk;
}

void row_queue__clear(struct row_queue *queue)
{
	struct row_chunk *chunk;

	while ((chunk = row_queue__take(queue)))
		free(chunk);
}
