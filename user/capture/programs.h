/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF programs of this build: opened, fitted to the kernel, loaded. */
#ifndef CAPTURE_PROGRAMS_H
#define CAPTURE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

struct alloc_options;
struct bpf_object;
struct pipescope_bpf;
struct recording_writer;

struct programs_knobs {
	bool offcpu, io, quanta, mem; /* the programs of these sources too */
	uint8_t quantum_calls[PS_SYSCALL_LIMIT]; /* PS_CALL_* by number */
	bool any_function; /* a rule's function is no name but a pattern */
	bool thread_quanta; /* a rule has the scope of a thread */
	uint8_t wait_calls[PS_SYSCALL_LIMIT]; /* 1: its waits are counted apart */
	uint32_t counters; /* so many are counted per quantum */
	const struct alloc_options *alloc; /* the programs of that source too; NULL: not */
	bool only_wanted; /* only processes that the recorder marks as wanted */
	const char *const *environment; /* names of the variables to keep at exec */
	size_t environment_count;
};

/* Loaded, nothing attached. The caller destroys *ret_bpf. */
int programs__load(const struct programs_knobs *knobs, struct pipescope_bpf **ret_bpf);
/* Attaches those that follow processes and their waits. */
int programs__attach(struct pipescope_bpf *bpf);
/* The one that sampler__start_faults() runs; NULL: without files, or on old kernels. */
const struct bpf_program *programs__major_faults(const struct pipescope_bpf *bpf);
/* Attaches the one that begins to count operations; when every process has its epoch. */
int programs__attach_calls(struct pipescope_bpf *bpf);

/* Detaches those at system calls, so that what they have counted is all there will be. */
void programs__detach_calls(struct pipescope_bpf *bpf);

/* A row for each program that has run, while the kernel measured their times. programs: NULL: none.
 * What the kernel and the writer give. */
int programs__write_times(struct bpf_object *programs, struct recording_writer *writer);

/* Runs that the kernel has left out, since another one of the same program was under way on that
 * CPU; 0 also where it does not tell (before Linux 5.12). */
uint64_t programs__missed(struct bpf_object *programs);

/* Loads them once more, each with the verifier's figures: calls tell for each program. */
typedef void programs_tell(const char *program, unsigned long instructions);
int programs__verified(programs_tell *tell);
/* The same of an object that is open, as far as its programs are to be loaded. */
int programs__load_told(struct pipescope_bpf *bpf, programs_tell *tell);

#endif
