/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs of source "alloc" ask of each other. */
#ifndef ALLOC_BPF_H
#define ALLOC_BPF_H

#include "compat.bpf.h"

/* The bytes that a block of so many stands for among the stacks; 0: it is not chosen. */
__u64 alloc__weight(__u64 bytes);

#endif
