/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of the kernel's CephFS client: noted when they are sent, counted when their answer has
 * come. For the two sets of programs, ceph.bpf.c and ceph_kprobes.bpf.c. */
#ifndef CEPH_REQUESTS_BPF_H
#define CEPH_REQUESTS_BPF_H

#include "ceph.bpf.h"
#include "io.bpf.h"

static __always_inline bool is_kernel_thread(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/* --- counting */

static const volatile struct ps_ceph_histogram no_histogram = {};

static __always_inline void count_histogram(__u32 device, __u16 class, __u64 ns)
{
	struct ps_ceph_histogram_key key = {.device = device, .class = class};
	struct ps_ceph_histogram *histogram = bpf_map_lookup_elem(&ceph_histograms, &key);
	__u32 bucket;

	if (!histogram) {
		bpf_map_update_elem(&ceph_histograms, &key, (const void *)&no_histogram,
				    BPF_NOEXIST);
		histogram = bpf_map_lookup_elem(&ceph_histograms, &key);
		if (!histogram)
			return;
	}
	bucket = io_log2_bucket(ns);
	if (bucket < PS_CEPH_BUCKETS)
		__sync_fetch_and_add(&histogram->ns[bucket], 1);
}

static __always_inline void count_sum(const struct ps_ceph_key *key, __u64 ns, __u64 bytes)
{
	struct ps_ceph_sum nothing = {}, *sum;
	__u32 zero = 0;
	void *current = bpf_map_lookup_elem(&ceph_sums, &zero);

	if (!current)
		return;
	sum = bpf_map_lookup_elem(current, key);
	if (!sum) {
		bpf_map_update_elem(current, key, &nothing, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(current, key);
	}
	if (!sum) {
		count_event(PS_COUNTER_CEPH_FULL);
		return;
	}
	__sync_fetch_and_add(&sum->count, 1);
	if (bytes) /* see counts__add() */
		__sync_fetch_and_add(&sum->bytes, bytes);
	if (ns)
		__sync_fetch_and_add(&sum->ns, ns);
}

static __always_inline void count_stack(const struct ps_ceph_request *request, __u32 metric,
					__u64 weight)
{
	struct ps_count key = {
		.epoch = request->epoch,
		.stack = request->stack,
		.device = request->device,
		.tgid = request->tgid,
		.tid = request->tid,
		.metric = metric,
		.class = request->class,
	};

	if (weight)
		counts__add(&key, weight);
}

/* What request says, in full. */
static __noinline int ceph_count(const struct ps_ceph_request *request, __u64 ns, __u32 error)
{
	struct ps_ceph_key key = {};
	__u64 bytes;

	if (!request)
		return 0;
	bytes = error ? 0 : request->bytes;
	key.epoch = request->epoch;
	key.device = request->device;
	key.class = request->class;
	key.error = error;
	count_sum(&key, ns, bytes);
	count_histogram(key.device, key.class, ns);
	if (!request->weight)
		return 0;
	count_stack(request, PS_METRIC_CEPH_TIME, ns * request->weight);
	count_stack(request, PS_METRIC_CEPH_BYTES, bytes * request->weight);
	count_stack(request, PS_METRIC_CEPH_OPS, request->weight);
	return 0;
}

/* --- requests on their way */

/* The stack of current, from inside a system call; 0: none. */
__u64 ceph_walk(__u64 epoch);

/* Who sends it, and whether its stack is chosen. false: it is nobody's who is recorded. */
static __always_inline bool describe_sender(struct ps_ceph_request *request)
{
	__u64 id = bpf_get_current_pid_tgid(), period = ceph_period;

	request->epoch = epochs__current();
	if (!request->epoch)
		return false;
	request->tgid = id >> 32;
	request->tid = (__u32)id;
	request->weight = choose(1, period, bpf_get_prandom_u32());
	if (request->weight)
		request->stack = ceph_walk(request->epoch);
	return true;
}

static __always_inline void begin(void *address, struct ps_ceph_request *request)
{
	__u64 key = (__u64)address;

	if (!describe_sender(request)) {
		bpf_map_delete_elem(&ceph_requests, &key);
		return;
	}
	request->start_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&ceph_requests, &key, request, BPF_ANY))
		count_event(PS_COUNTER_CEPH_FULL);
}

/* Takes it out of the map: only one of those who see its end gets it. */
static __always_inline bool take(void *address, struct ps_ceph_request *ret_request)
{
	__u64 key = (__u64)address;
	const struct ps_ceph_request *known = bpf_map_lookup_elem(&ceph_requests, &key);

	if (!known)
		return false;
	*ret_request = *known;
	return !bpf_map_delete_elem(&ceph_requests, &key) && ret_request->start_ns;
}

static __always_inline bool is_error(__s64 result)
{
	return result < 0 && result >= -4095;
}

static __always_inline __u32 error_of(__s64 result)
{
	return is_error(result) ? ps_io_error(result) : 0;
}

/* --- requests to metadata servers */

static __always_inline void mds_begin(void *mdsc, void *address, int op)
{
	struct ps_ceph_request request = {.class = op, .device = ceph__device_at(mdsc, true)};

	begin(address, &request);
}

/* typed: ns are the client's own; else until it is noticed. */
static __always_inline void mds_end(void *address, __u32 error, bool typed)
{
	const struct ceph_mds_request *mds = address;
	struct ps_ceph_request request;
	__s64 ns = 0;

	if (!take(address, &request))
		return;
	if (typed)
		ns = BPF_CORE_READ(mds, r_end_latency) - BPF_CORE_READ(mds, r_start_latency);
	if (ns <= 0) /* never answered */
		ns = bpf_ktime_get_ns() - request.start_ns;
	ceph_count(&request, ns, error);
}

/* --- requests to storage servers */

static __always_inline __u16 osd_class(__u16 op, const struct ceph_thread *thread)
{
	if (op == CEPH_OSD_OP_READ || op == CEPH_OSD_OP_SPARSE_READ)
		return PS_CEPH_OSD_READ;
	if (op != CEPH_OSD_OP_WRITE && op != CEPH_OSD_OP_WRITEFULL)
		return PS_CEPH_OSD_OTHER;
	return (thread && thread->writes_back) || is_kernel_thread() ? PS_CEPH_OSD_WRITEBACK
								     : PS_CEPH_OSD_WRITE;
}

static __always_inline void osd_begin(void *address, __u32 device, __u16 op, __u64 bytes)
{
	struct ceph_thread *thread = ceph__thread(false);
	struct ps_ceph_request request = {
		.class = osd_class(op, thread), .device = device, .bytes = bytes};

	if (thread && thread->read_ns && request.class == PS_CEPH_OSD_READ)
		thread->read_requests++;
	begin(address, &request);
}

#endif
