/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a socket is connected to, read from the socket itself each time: no table of ours could know
 * of every connect, dup and close. */
#ifndef REMOTE_BPF_H
#define REMOTE_BPF_H

#include "maps.bpf.h"
#include "remote.h"

/* Programs that one CPU may run in the middle of another; each has room of its own. */
enum remote_slot { REMOTE_CALL, REMOTE_SWITCH, REMOTE_ITERATOR, REMOTE_SLOTS };

/* The remote looked at last, by slot. */
struct remote_events_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REMOTE_SLOTS);
	__type(key, __u32);
	__type(value, struct ps_remote_event);
};
extern struct remote_events_map remote_events SEC(".maps");

/* The hash of what a socket is connected to, which is then in the slot's room; file: address of its
 * struct file. 0: that is no socket. */
__u64 remote__of_file(__u64 file, __u32 slot);

/* The same of a socket address of `size` bytes in user memory; 0: none that can be read. protocol:
 * of the socket. */
__u64 remote__of_address(__u64 address, __u32 size, __u32 protocol, __u32 slot);

/* Sends what is in the slot's room under its hash, at first sight. */
int remote__tell(__u64 hash, __u32 slot);

#endif
