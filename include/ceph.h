/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's CephFS client does: which classes of it there are, and how they are counted.
 * Shared by BPF and the recorder. */
#ifndef PIPESCOPE_CEPH_H
#define PIPESCOPE_CEPH_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Requests to a metadata server are known by their operation: enum in the kernel's
 * include/linux/ceph/ceph_fs.h, all below PS_CEPH_OTHERS. */
#define PS_CEPH_MDS_UNKNOWN 0
#define PS_CEPH_OTHERS	    0x8000

/* X(NAME, "name in the recording", "what it means") */
#define PS_CEPH_CLASSES(X)                                                                         \
	X(OSD_READ, "osd:read", "data read from the storage servers")                              \
	X(OSD_WRITE, "osd:write", "data written to them as the process wrote")                     \
	X(OSD_WRITEBACK, "osd:writeback", "pages of the page cache written to them later")         \
	X(OSD_OTHER, "osd:other", "other requests to them")                                        \
	X(CAPS_WAIT, "caps:wait", "waits for the right to read or write a file")                   \
	X(READ_CACHED, "read:cached", "reads that the page cache could serve")                     \
	X(READ_NETWORK, "read:network", "reads that sent requests to storage servers")

enum ps_ceph_class {
	PS_CEPH_FIRST = PS_CEPH_OTHERS,
#define X(name, text, meaning) PS_CEPH_##name,
	PS_CEPH_CLASSES(X)
#undef X
		PS_CEPH_LAST
};

#define PS_CEPH_IS_REQUEST(class) ((class) <= PS_CEPH_OSD_OTHER)

/* Who did what on which mount, with which result. */
struct ps_ceph_key {
	__u64 epoch;
	__u32 device; /* of the mount, as the kernel encodes it; 0: not known */
	__u16 class; /* operation of a metadata server, or enum ps_ceph_class */
	__u16 error; /* errno; 0: it succeeded */
};

struct ps_ceph_sum {
	__u64 count;
	__u64 bytes;
	__u64 ns;
};

/* A request on its way. Its key is its address. */
struct ps_ceph_request {
	__u64 epoch;
	__u64 start_ns; /* 0: made, but not sent */
	__u64 stack; /* hash; 0: not chosen */
	__u64 bytes;
	__u32 weight; /* requests that it stands for among the stacks; 0: not chosen */
	__u32 device;
	__u32 tgid, tid;
	__u16 class;
	__u16 pad[3];
};

/* log2 of nanoseconds, over the whole recording. */
#define PS_CEPH_BUCKETS 40
struct ps_ceph_histogram_key {
	__u32 device;
	__u16 class;
	__u16 pad;
};
struct ps_ceph_histogram {
	__u32 ns[PS_CEPH_BUCKETS];
};

#define PS_CEPH_SUMS	   16384 /* keys of one slice */
#define PS_CEPH_REQUESTS   16384 /* on their way at a time */
#define PS_CEPH_THREADS	   16384 /* inside of the client at a time */
#define PS_CEPH_HISTOGRAMS 2048

_Static_assert(sizeof(struct ps_ceph_key) == 16, "wire format");
_Static_assert(sizeof(struct ps_ceph_request) == 56, "wire format");
_Static_assert(sizeof(struct ps_ceph_histogram_key) == 8, "wire format");

#endif
