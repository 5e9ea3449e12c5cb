/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What threads do inside of the kernel's CephFS client. For the two sets of programs, ceph.bpf.c
 * and ceph_kprobes.bpf.c. */
#ifndef CEPH_CALLS_BPF_H
#define CEPH_CALLS_BPF_H

#include "ceph_requests.bpf.h"

#define EIOCBQUEUED 529 /* the answer comes later */

/* --- capabilities */

static __always_inline __u64 switches_of_current(void)
{
	struct task_struct___switches *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, nvcsw);
}

static __always_inline void caps_begin(__u32 device)
{
	struct ceph_thread *thread = ceph__thread(true);

	if (!thread)
		return;
	thread->device = device;
	thread->caps_switches = switches_of_current();
	thread->caps_ns = bpf_ktime_get_ns();
}

/* A wait is one in which the thread slept. */
static __always_inline void caps_end(__s64 result)
{
	struct ceph_thread *thread = ceph__thread(false);
	struct ps_ceph_request wait = {.class = PS_CEPH_CAPS_WAIT};
	__u64 since;

	if (!thread || !thread->caps_ns)
		return;
	since = thread->caps_ns;
	thread->caps_ns = 0;
	if (switches_of_current() == thread->caps_switches)
		return;
	wait.device = thread->device;
	if (describe_sender(&wait))
		ceph_count(&wait, bpf_ktime_get_ns() - since, error_of(result));
}

/* --- reads, from the page cache or not */

static __always_inline void read_begin(struct kiocb___any *call)
{
	struct ceph_thread *thread = ceph__thread(true);

	if (!thread)
		return;
	thread->read_requests = 0;
	thread->read_device = ceph__device_of_file(BPF_CORE_READ(call, ki_filp));
	thread->read_ns = bpf_ktime_get_ns();
}

static __always_inline void read_end(__s64 result)
{
	struct ceph_thread *thread = ceph__thread(false);
	struct ps_ceph_request read = {};
	__u64 since;

	if (!thread || !thread->read_ns)
		return;
	since = thread->read_ns;
	thread->read_ns = 0;
	read.epoch = epochs__current();
	if (!read.epoch)
		return;
	read.class = thread->read_requests ? PS_CEPH_READ_NETWORK : PS_CEPH_READ_CACHED;
	read.device = thread->read_device;
	read.bytes = result > 0 ? result : 0;
	ceph_count(&read, bpf_ktime_get_ns() - since,
		   result == -EIOCBQUEUED ? 0 : error_of(result));
}

/* --- who writes pages back */

static __always_inline void writes_back(bool begins)
{
	struct ceph_thread *thread = ceph__thread(begins);

	if (thread)
		thread->writes_back = begins;
}

#endif
