/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interpreters that are known by their file. */
#ifndef PYTHONS_BPF_H
#define PYTHONS_BPF_H

#include "maps.bpf.h"

/* For the ends of exec and mmap. Global functions take scalars only and are verified once. */

/* current's program is another one now. */
int pythons__at_exec(__u32 tgid);
/* current has mapped a file, by its descriptor, at an address. */
int pythons__at_mmap(__u64 descriptor, __u64 address, __u64 offset);

#endif
