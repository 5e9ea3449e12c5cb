/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes what BPF has counted of file operations out of its maps and into rows. */
#ifndef CAPTURE_IO_DRAIN_H
#define CAPTURE_IO_DRAIN_H

#include <stdint.h>

#include "written.h"
#include "wire.h"

struct io_drain;
struct meanwhile;
struct pipescope_bpf;
struct recording_writer;
struct rules;
struct tracker;

/* All borrowed; they must outlive it. counters: added to. */
int io_drain__new(struct pipescope_bpf *bpf, struct recording_writer *writer,
		  struct tracker *tracker, struct rules *rules, uint64_t *counters,
		  struct io_drain **ret_drain);
void io_drain__free(struct io_drain *drain); /* NULL is accepted */
/* Before the first slice of a live recording: keeps fewer names of files. */
void io_drain__limit_live(struct io_drain *drain);

int io_drain__on_file(struct io_drain *drain, const struct ps_file_event *event, const char *text);
/* The row of the file that a chosen operation was on. */
int io_drain__file(struct io_drain *drain, const struct ps_count *count, int64_t *ret_row);
int io_drain__on_renamed(struct io_drain *drain, const struct ps_file_event *event,
			 const char *text);
int io_drain__on_written(struct io_drain *drain, const struct ps_written_event *event);
int io_drain__on_torn(struct io_drain *drain, const struct ps_torn_event *event);

/* A slice: begin takes the map, then come the tasks with their slots, end writes the rows. */
int io_drain__begin(struct io_drain *drain, const struct meanwhile *meanwhile);
int io_drain__on_task(struct io_drain *drain, const struct ps_task_event *task);
int io_drain__end(struct io_drain *drain, int64_t slice);

/* Forgets names of files, of a live recording; each so many slices. */
#define IO_DRAIN_SWEEP_SLICES 64 /* longer than anybody looks back */
int io_drain__sweep(struct io_drain *drain);
/* Behind the last slice: the files that are still open. */
int io_drain__last(struct io_drain *drain);

/* The histograms so far. */
int io_drain__write_histograms(struct io_drain *drain);

/* "read" for PS_IO_READ; static. */
const char *io_op__name(uint32_t op);

#endif
