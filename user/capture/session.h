/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording from its first check to its last row. The session speaks: one message for each
 * failure, before anything is recorded when it can be known before. */
#ifndef CAPTURE_SESSION_H
#define CAPTURE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct alloc_options;
struct perf_choice;

/* A recording that goes to a reader instead of a file, for `pipescope top`. */
struct record_live {
	int fd; /* where rows go: recording_writer__stream; taken */
	uint64_t most_growth_bytes; /* the recorder ends when its memory has grown by this much */
};

struct record_options {
	const pid_t *pids; /* only these, their children now and later */
	size_t pid_count; /* 0: all processes */
	char **command; /* NULL: none; else only it and its children */
	double duration_s; /* 0: no end */
	unsigned int hz;
	const char *output;
	const struct record_live *live; /* NULL: into output */
	const char *const *rules; /* files, rule_count of them */
	size_t rule_count;
	bool offcpu, io, ceph, quanta, mem; /* these sources too */
	const struct alloc_options *alloc; /* that source too; NULL: off */
	const struct perf_choice *counters; /* per quantum; NULL: none */
	const char *sources; /* as given, for the recording */
	const char *command_line; /* of the recorder itself, for the recording */
	bool stats; /* run time of each BPF program, at a small cost */
	bool quiet;
};

/* 0 when all that was asked was recorded; *ret_exit_code is the command's when there is one, else
 * 0. A negative errno after a message. */
int session__record(const struct record_options *options, int *ret_exit_code);

#endif
