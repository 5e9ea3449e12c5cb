/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the native walker in BPF must know: the rows of every file that a process executes, and
 * where each process maps it. Files are compiled once, in other threads, and shared; what a process
 * maps is a space, shared with its forked children until either changes it. */
#ifndef CAPTURE_UNWINDER_H
#define CAPTURE_UNWINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/remote_walk.h"

struct pipescope_bpf;
struct unwinder;
struct unwind_file;
struct unwind_space;

struct unwind_mapping {
	uint64_t start, end; /* addresses in the process */
	uint64_t address; /* the file's own address of start */
	struct unwind_file *file; /* NULL: there is none */
};

/* counters: PS_COUNTER_COUNT of them, added to. bpf and counters are borrowed. */
int unwinder__new(struct pipescope_bpf *bpf, uint64_t *counters, struct unwinder **ret_unwinder);
void unwinder__free(struct unwinder *unwinder); /* with all files and spaces */

/* A file of which nothing is known yet; until unwinder__free. NULL: no memory. */
struct unwind_file *unwinder__add_file(struct unwinder *unwinder);
/* Whether it is mapped, or being compiled; if not, it can be forgotten. */
bool unwind_file__busy(const struct unwind_file *file);
void unwinder__forget_file(struct unwinder *unwinder, struct unwind_file *file, uint64_t now_ns);

/* Whether the rows of a file have to be compiled: never were, or were dropped since. */
bool unwind_file__wants(const struct unwind_file *file);

/* Call-frame information that did not become rows, UNWIND_PROBLEM_COUNT numbers by reason. */
const uint64_t *unwind_file__problems(const struct unwind_file *file);

/* Has the file compiled; fd stays the caller's. python: it is CPython, whose interpreter loop must
 * be known. -ENOMEM; files without call-frame information are no error. */
int unwinder__compile(struct unwinder *unwinder, struct unwind_file *file, int fd, bool python);

/* The same for the vDSO, which is no file: its image is our own. */
struct unwind_file *unwinder__vdso(struct unwinder *unwinder);

/* Becomes readable when files are compiled; unwinder__take() then gives their rows to BPF. */
int unwinder__fd(const struct unwinder *unwinder);
int unwinder__take(struct unwinder *unwinder, uint64_t now_ns);
bool unwinder__busy(const struct unwinder *unwinder); /* files are being compiled */

/* Process tgid now maps these (sorted by address, none overlap): *space, NULL at first, is replaced
 * and BPF is told. -ENOMEM. */
int unwinder__map(struct unwinder *unwinder, uint32_t tgid, struct unwind_space **space,
		  const struct unwind_mapping *mappings, size_t count, uint64_t now_ns);

/* A child maps what its parent does. forked_ns: when; BPF has given it the parent's ranges of that
 * time. */
int unwinder__share(struct unwinder *unwinder, uint32_t tgid, struct unwind_space *space,
		    uint64_t forked_ns, struct unwind_space **ret_space);

/* BPF has forgotten a process's ranges, at its exec: tells them again. */
void unwinder__tell(struct unwinder *unwinder, uint32_t tgid, const struct unwind_space *space);

/* The process has ended or has another program; *space becomes NULL. */
void unwinder__unmap(struct unwinder *unwinder, uint32_t tgid, struct unwind_space **space,
		     uint64_t now_ns);

/* Some mappings of the space still wait for their rows. */
bool unwind_space__waits(const struct unwind_space *space);

/* For walks from outside; valid until the next call of any other function. space may be NULL. */
struct remote_rows unwinder__rows(const struct unwinder *unwinder,
				  const struct unwind_space *space);

/* Once a slice: drops the rows of files that nobody has mapped for a while, and lets BPF copy
 * stacks again. */
void unwinder__slice(struct unwinder *unwinder, uint64_t now_ns);

/* Bytes of BPF maps that rows and ranges take. */
uint64_t unwinder__bytes(const struct unwinder *unwinder);

#endif
