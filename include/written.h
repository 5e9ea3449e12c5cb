/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of files that processes write: closed, renamed, or left torn. Shared by BPF and the
 * recorder. */
#ifndef PIPESCOPE_WRITTEN_H
#define PIPESCOPE_WRITTEN_H

#include "wire.h"

enum ps_event_type_storage {
	PS_EVENT_WRITTEN = 50, /* a file that was written was closed */
	PS_EVENT_RENAMED, /* struct ps_file_event: key is that of the old path, text the new one */
	PS_EVENT_TORN /* its writer has ended while it was open */
};

/* Regular files that processes have opened for writing and not closed; of them all at most
 * PS_WRITERS. file and device 0: of the process itself, opens is their number. */
#define PS_WRITERS 65536
struct ps_writer_key {
	__u64 file; /* as in struct ps_io_key */
	__u32 device;
	__u32 tgid;
};

struct ps_writer {
	__u64 epoch; /* of the last write that is known; 0: none yet */
	__u64 opened_ns; /* of the process itself: its last exec */
	__u64 written_ns; /* the last write that is known */
	__u64 bytes; /* written since it was opened, as far as known */
	__u32 opens;
	__u32 wrote; /* 1: there were writes */
	__u32 name; /* ps_name_check() of when it was opened */
	__u32 pad;
};

/* Descriptors of an ending process that are looked at. */
#define PS_TORN_DESCRIPTORS 4096

struct ps_written_event {
	struct ps_event event;
	struct ps_io_key key;
	__u64 size; /* of the file, bytes */
};

#define PS_TORN_APPENDED 1 /* every write goes to its end: a log, say */
#define PS_TORN_OOM	 2 /* the kernel killed the process for want of memory */

struct ps_torn_event {
	struct ps_event event;
	struct ps_io_key key; /* epoch: of the last write */
	__u64 opened_ns, written_ns;
	__u64 bytes; /* written since it was opened */
	__u64 size; /* of the file, bytes */
	__u32 status; /* as wait() gives it; not 0 */
	__u32 flags; /* PS_TORN_* */
};

/* Tells whether a file still has the name that it had: of its name's hash, as the kernel has it,
 * and the inode of its directory. Never 0. */
static inline __u32 ps_name_check(__u32 hash, __u64 directory)
{
	return (__u32)ps_mix(hash, directory) | 1;
}

_Static_assert(sizeof(struct ps_writer_key) == 16, "wire format");
_Static_assert(sizeof(struct ps_writer) == 48, "wire format");
_Static_assert(sizeof(struct ps_written_event) == 56, "wire format");
_Static_assert(sizeof(struct ps_torn_event) == 88, "wire format");

#endif
