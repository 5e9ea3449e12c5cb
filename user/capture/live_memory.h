/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that one process has mapped and not released, by where it was mapped; and what of it
 * was live when there was most. Pure bookkeeping: it is told of each call in the order of the
 * calls. */
#ifndef CAPTURE_LIVE_MEMORY_H
#define CAPTURE_LIVE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Address ranges kept of one process; more than vm.max_map_count allows by default. */
#define LIVE_MEMORY_PIECES 131072

enum live_memory_kind { LIVE_MAPPED, LIVE_HEAP, LIVE_KINDS };

/* Since the epoch began, of one place and kind. A number counts mappings of which anything is
 * left. */
struct live_figures {
	uint64_t count, bytes; /* mapped, whether released or not */
	int64_t live_count, live_bytes;
	int64_t peak_count, peak_bytes; /* of what was live at the epoch's peak */
};

struct live_memory;

/* NULL: no memory. NULL is accepted. */
struct live_memory *live_memory__new(void);
void live_memory__free(struct live_memory *memory);

/* stack: row or ROW_NULL; ending: static text. address + length does not overflow, or the call is
 * ignored. -ENOMEM; -ENOSPC: LIVE_MEMORY_PIECES are there. */
int live_memory__map(struct live_memory *memory, enum live_memory_kind kind, int64_t stack,
		     const char *ending, uint64_t address, uint64_t length);
int live_memory__unmap(struct live_memory *memory, uint64_t address, uint64_t length);

/* mremap() by thread tid: what lies at address leaves, and comes to another one, or back to where
 * it was (to 0). What is longer than before belongs to the caller. */
int live_memory__leave(struct live_memory *memory, uint32_t tid, uint64_t address, uint64_t length);
int live_memory__arrive(struct live_memory *memory, uint32_t tid, int64_t stack, const char *ending,
			uint64_t to, uint64_t length);

/* brk(): the heap ends here, before the call and after it. */
void live_memory__heap_end(struct live_memory *memory, uint64_t address);
int live_memory__heap(struct live_memory *memory, int64_t stack, const char *ending,
		      uint64_t address);

/* A new epoch: what is live stays so, all else is counted from here. */
void live_memory__begin_epoch(struct live_memory *memory);
/* Another program begins: nothing is live any more. An epoch ends with it. */
void live_memory__release(struct live_memory *memory);

/* Every place whose figures are new or have changed since the last time. row: the caller's own, of
 * this place in this epoch; 0 at first. A negative errno of take ends it and is returned. */
typedef int live_memory_take(void *context, enum live_memory_kind kind, int64_t stack,
			     const char *ending, const struct live_figures *figures, int64_t *row);
int live_memory__each(struct live_memory *memory, live_memory_take *take, void *context);

#endif
