/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds source lines and inlined functions while the recording goes on, behind the drain's back: a
 * thread at the lowest priority that hands the work to line_reader.h. The drain gives addresses and
 * takes what was found, once a slice; neither waits for the thread: they talk by two lists without
 * locks. Memory, descriptors and CPU time are bounded; what is beyond goes without lines and is
 * counted. */
#ifndef CAPTURE_FINISHER_H
#define CAPTURE_FINISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/lines.h"

#define FINISHER_MAX_FILES 256

struct finisher;

/* An answer, malloc'ed as one. */
struct finished {
	struct finished *next;
	int64_t frame;
	uint64_t address;
	void *context; /* of finisher__ask; now the caller's */
	size_t bytes; /* private */
	size_t count; /* 0: nothing is known */
	struct line_frame chain[]; /* as lines_take has it */
};

/* Forks the process that reads lines, so before the recorder has threads and much memory. Starts
 * the thread with the first file. */
int finisher__new(struct finisher **ret);
void finisher__free(struct finisher *finisher); /* NULL is accepted */

/* A file that samples met. dwarf: descriptor of what holds its DWARF, taken in any case; or -1,
 * then the build id is asked of the servers of $DEBUGINFOD_URLS, if it is set. The file's number,
 * or -ENOENT: there is nothing to look in; -EMFILE: too many files; -ENOMEM, -EAGAIN (no thread).
 */
int finisher__add_file(struct finisher *finisher, int dwarf, const uint8_t *build_id,
		       size_t build_id_size);

/* Whether a file may still have lines: false once it is clear that it has none. */
bool finisher__may_know(const struct finisher *finisher, int file);

/* Nobody will ask for lines of the file any more: it is closed when what was asked is answered, and
 * its number is given out again. */
void finisher__forget_file(struct finisher *finisher, int file);

/* A frame (any number) at a virtual address of the file. context, malloc'ed or NULL, is taken in
 * any case: it comes back with the answer or is freed. -ENOBUFS: too many wait; -ENOMEM. */
int finisher__ask(struct finisher *finisher, int file, int64_t frame, uint64_t address,
		  void *context);

/* What was found since the last call, in no order; the caller frees each and its context. */
struct finished *finisher__take(struct finisher *finisher);

/* How many frames still wait for an answer, and how many were given up (crashes, limits). */
size_t finisher__waiting(const struct finisher *finisher);
uint64_t finisher__given_up(const struct finisher *finisher);

/* CPU time of the reading processes, which is not in the recorder's own. */
uint64_t finisher__cpu_ns(const struct finisher *finisher);

/* Waits until no frame waits, timeout_ms are over, or stop_fd is readable (-1: none); then the
 * thread ends. To be called once; finisher__take has the last answers behind it. */
void finisher__finish(struct finisher *finisher, int timeout_ms, int stop_fd);

#endif
