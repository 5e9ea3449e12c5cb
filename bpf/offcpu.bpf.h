/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a system call in which a chosen wait was: now its user stack is that of the wait. */
#ifndef OFFCPU_BPF_H
#define OFFCPU_BPF_H

#include "thread.bpf.h"

/* Walks and counts the chosen wait of current, if its stack is not known yet. */
int offcpu__emit_kept(__u32 slot);

#endif
