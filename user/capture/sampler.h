/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The perf events that run the sampling program, one per CPU. */
#ifndef CAPTURE_SAMPLER_H
#define CAPTURE_SAMPLER_H

struct bpf_program;
struct sampler;

/* Samples all CPUs at hz with hardware cycles, else the kernel's software clock. */
int sampler__start(const struct bpf_program *program, unsigned int hz,
		   struct sampler **ret_sampler);
/* Runs the program at each major page fault of the node. */
int sampler__start_faults(const struct bpf_program *program, struct sampler **ret_sampler);
/* CPUs that came are sampled too. */
int sampler__update(struct sampler *sampler);
/* "cycles" or "cpu-clock". */
const char *sampler__event_name(const struct sampler *sampler);
void sampler__free(struct sampler *sampler); /* NULL is accepted */

/* Whether this machine counts cycles in hardware. */
int sampler__has_cycles(void);

#endif
