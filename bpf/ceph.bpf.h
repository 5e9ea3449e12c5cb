/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps of source "ceph", and the types of the kernel's CephFS client, as far as they are used.
 * They come from the modules' own BTF; where there is none, only what the arguments of functions
 * tell is known, and what ceph__device_at() finds. */
#ifndef CEPH_BPF_H
#define CEPH_BPF_H

#include "counts.bpf.h"

#include "ceph.h"

/* --- maps; ceph.bpf.c defines them */

struct ceph_inner_sums_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_CEPH_SUMS);
	__uint(key_size, sizeof(struct ps_ceph_key));
	__uint(value_size, sizeof(struct ps_ceph_sum));
};

/* One entry, swapped each slice like the counts. */
struct ceph_sums_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ceph_inner_sums_map);
};
extern struct ceph_sums_map ceph_sums SEC(".maps");

/* address of a request -> what is known of it */
struct ceph_requests_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_CEPH_REQUESTS);
	__type(key, __u64);
	__type(value, struct ps_ceph_request);
};
extern struct ceph_requests_map ceph_requests SEC(".maps");

struct ceph_histograms_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_CEPH_HISTOGRAMS);
	__type(key, struct ps_ceph_histogram_key);
	__type(value, struct ps_ceph_histogram);
};
extern struct ceph_histograms_map ceph_histograms SEC(".maps");

/* What a thread is at inside of the client. */
struct ceph_thread {
	__u64 read_ns; /* when its read began; 0: none */
	__u64 caps_ns; /* when it asked for capabilities; 0: it does not */
	__u64 caps_switches; /* times it had slept by then */
	__u64 length_at; /* kprobes: where the length of the request that it makes is */
	__u64 request; /* kprobes: that it waits for */
	__u64 answered; /* kprobes: whose answer it looks at */
	__u32 device; /* of the file that it asks capabilities for */
	__u32 read_device;
	__u32 read_requests; /* sent by its read */
	__u32 writes_back;
	__u16 op; /* kprobes: of the request that it makes */
	__u16 pad[3];
};

/* tid -> the same. The least recently used go by themselves, so nothing needs to be forgotten. */
struct ceph_threads_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PS_CEPH_THREADS);
	__type(key, __u32);
	__type(value, struct ceph_thread);
};
extern struct ceph_threads_map ceph_threads SEC(".maps");

static __always_inline struct ceph_thread *ceph__thread(bool make)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct ceph_thread *thread = bpf_map_lookup_elem(&ceph_threads, &tid), nothing = {};

	if (thread || !make)
		return thread;
	bpf_map_update_elem(&ceph_threads, &tid, &nothing, BPF_ANY);
	return bpf_map_lookup_elem(&ceph_threads, &tid);
}

/* --- the client's types */

#define CEPH_MAX_OPS 16 /* of a request to a storage server; CEPH_OSD_MAX_OPS */

#define CEPH_OSD_OP_READ	0x1201
#define CEPH_OSD_OP_SPARSE_READ 0x1205
#define CEPH_OSD_OP_WRITE	0x2201
#define CEPH_OSD_OP_WRITEFULL	0x2202

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ceph_kref {
	int refcount;
};

struct ceph_mds_reply_head {
	__u32 result; /* little endian */
};

struct ceph_mds_reply_info_parsed {
	struct ceph_mds_reply_head *head;
};

struct ceph_mds_request {
	int r_op;
	__s64 r_start_latency, r_end_latency; /* ns */
	int r_err;
	struct ceph_mds_reply_info_parsed r_reply_info;
	struct ceph_kref r_kref;
};

struct ceph_osd_req_op {
	__u16 op;
	struct {
		__u64 offset, length;
	} extent;
};

struct ceph_osd_request {
	int r_result;
	unsigned int r_num_ops;
	__s64 r_start_latency, r_end_latency; /* ns */
	struct ceph_osd_req_op r_ops[0];
};

struct ceph_client {
	void *private;
};

struct kiocb___any {
	struct file *ki_filp;
};

struct file_system_type___any {
	const char *name;
};

struct super_block___type {
	struct file_system_type___any *s_type;
};

struct task_struct___switches {
	unsigned long nvcsw;
};

#pragma clang attribute pop

/* Where struct ceph_client has its owner in kernels whose modules bring no types. */
#define CEPH_CLIENT_PRIVATE 24

/* Of a superblock, when it is a CephFS's; else 0. Its magic number would not do: Linux 5.10 leaves
 * it out. */
static __always_inline __u32 ceph__device(struct super_block *super)
{
	struct super_block___type *typed = (void *)super;
	char name[8] = {};

	if (!super ||
	    bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(typed, s_type, name)) != 5)
		return 0;
	if (name[0] != 'c' || name[1] != 'e' || name[2] != 'p' || name[3] != 'h')
		return 0;
	return BPF_CORE_READ(super, s_dev);
}

/* The mount's device; its type's name tells whether what was followed is a mount at all. at: a
 * struct ceph_fs_client, or a struct ceph_mds_client (`deep`), which begins with a pointer to one;
 * that begins with a pointer to the superblock. 0: it is none. */
static __always_inline __u32 ceph__device_at(const void *at, bool deep)
{
	void *super = NULL;

	if (deep && bpf_probe_read_kernel(&at, sizeof(at), at))
		return 0;
	if (!at || bpf_probe_read_kernel(&super, sizeof(super), at))
		return 0;
	return ceph__device(super);
}

/* osdc: a struct ceph_osd_client, which begins with a pointer to its struct ceph_client. typed: the
 * modules bring types; a constant, as code that needs them must not be there where they are not. 0:
 * requests of somebody else, such as a block device. */
static __always_inline __u32 ceph__device_of_osdc(const void *osdc, bool typed)
{
	const void *client = NULL, *owner = NULL;
	const char *at;

	if (bpf_probe_read_kernel(&client, sizeof(client), osdc))
		return 0;
	at = client;
	if (typed)
		at += bpf_core_field_offset(struct ceph_client, private);
	else
		at += CEPH_CLIENT_PRIVATE;
	if (bpf_probe_read_kernel(&owner, sizeof(owner), at))
		return 0;
	return ceph__device_at(owner, false);
}

static __always_inline __u32 ceph__device_of_file(struct file *file)
{
	return ceph__device(BPF_CORE_READ(file, f_inode, i_sb));
}

#endif
