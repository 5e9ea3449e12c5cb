// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "ceph": what the kernel's CephFS client does, for whom.
 *
 * A request is noted when it is sent, in the context of who sends it: who, from which stack, on
 * which mount. It is counted when its answer has come, in whatever context that is noticed.
 * Requests to metadata servers that somebody waits for are over when the wait is; those that nobody
 * waits for have a callback. Data is read by who needs it (also what is read ahead), and written
 * either by who writes, or later by whoever writes pages back: a kernel thread, or who syncs.
 *
 * Two sets of programs do the same: on functions' types where the modules have BTF, else as
 * kprobes (ceph_kprobes.bpf.c), which know arguments only. The recorder loads one of them, and only
 * while there is a mount, into the maps of the programs that run already (capture/ceph_programs.c).
 *
 * Programs on functions' types can be preempted: nothing may be kept in a CPU's own memory. */
#include "compat.bpf.h"
#include "ceph_calls.bpf.h"
#include "counts.bpf.h"
#include "walker.bpf.h"

struct ceph_sums_map ceph_sums SEC(".maps");
struct ceph_requests_map ceph_requests SEC(".maps");
struct ceph_histograms_map ceph_histograms SEC(".maps");
struct ceph_threads_map ceph_threads SEC(".maps");

/* The stack of current, from inside a system call; 0: none. */
__noinline __u64 ceph_walk(__u64 epoch)
{
	return walker__walk_alone(WALKER_CEPH, epoch, PS_COUNTER_CEPH_STACK_BUSY);
}

/* --- requests to metadata servers */

/* What the server, or the client for it, has answered. */
static __always_inline __u32 mds_error(const struct ceph_mds_request *mds)
{
	const struct ceph_mds_reply_head *head = BPF_CORE_READ(mds, r_reply_info.head);
	__s32 result = BPF_CORE_READ(mds, r_err);

	if (!result && head)
		result = BPF_CORE_READ(head, result);
	return error_of(result);
}

SEC("?fentry/ceph_mdsc_submit_request")
int BPF_PROG(ceph_mds_submit, void *mdsc, void *directory, struct ceph_mds_request *request)
{
	mds_begin(mdsc, request, BPF_CORE_READ(request, r_op));
	return 0;
}

SEC("?fexit/ceph_mdsc_do_request")
int BPF_PROG(ceph_mds_done, void *mdsc, void *directory, struct ceph_mds_request *request,
	     int result)
{
	mds_end(request, error_of(result), true);
	return 0;
}

SEC("?fentry/ceph_async_create_cb")
int BPF_PROG(ceph_mds_created, void *mdsc, struct ceph_mds_request *request)
{
	mds_end(request, mds_error(request), true);
	return 0;
}

SEC("?fentry/ceph_async_unlink_cb")
int BPF_PROG(ceph_mds_unlinked, void *mdsc, struct ceph_mds_request *request)
{
	mds_end(request, mds_error(request), true);
	return 0;
}

/* Instead of those three, where the kernel has it. */
SEC("?tp_btf/ceph_mdsc_complete_request")
int BPF_PROG(ceph_mds_complete, void *mdsc, struct ceph_mds_request *request)
{
	if (request) /* the verifier wants to know */
		mds_end(request, mds_error(request), true);
	return 0;
}

/* What nobody waited for, and has no callback. */
SEC("?fentry/ceph_mdsc_release_request")
int BPF_PROG(ceph_mds_release, void *reference)
{
	struct ceph_mds_request *request =
		reference - bpf_core_field_offset(struct ceph_mds_request, r_kref);

	mds_end(request, mds_error(request), true);
	return 0;
}

/* --- requests to storage servers */

/* Bytes that its writes carry. */
static __always_inline __u64 written_bytes(const struct ceph_osd_request *osd)
{
	const char *ops = (const char *)osd + bpf_core_field_offset(struct ceph_osd_request, r_ops);
	__u32 count = BPF_CORE_READ(osd, r_num_ops);
	__u64 bytes = 0;

	for (__u32 i = 0; i < CEPH_MAX_OPS; i++) {
		const struct ceph_osd_req_op *op =
			(const void *)(ops + i * bpf_core_type_size(struct ceph_osd_req_op));
		__u16 code;

		if (i >= count)
			break;
		code = BPF_CORE_READ(op, op);
		if (code == CEPH_OSD_OP_WRITE || code == CEPH_OSD_OP_WRITEFULL)
			bytes += BPF_CORE_READ(op, extent.length);
	}
	return bytes;
}

SEC("?fentry/ceph_osdc_start_request")
int BPF_PROG(ceph_osd_start, void *osdc, struct ceph_osd_request *request)
{
	__u32 device = ceph__device_of_osdc(osdc, true);
	const struct ceph_osd_req_op *first =
		(const void *)((const char *)request +
			       bpf_core_field_offset(struct ceph_osd_request, r_ops));

	if (device)
		osd_begin(request, device, BPF_CORE_READ(first, op), written_bytes(request));
	return 0;
}

SEC("?fentry/__complete_request")
int BPF_PROG(ceph_osd_done, struct ceph_osd_request *osd)
{
	struct ps_ceph_request request;
	__s64 ns, result;

	if (!take(osd, &request))
		return 0;
	ns = BPF_CORE_READ(osd, r_end_latency) - BPF_CORE_READ(osd, r_start_latency);
	result = BPF_CORE_READ(osd, r_result);
	if (request.class == PS_CEPH_OSD_READ)
		request.bytes = result > 0 ? result : 0;
	if (ns <= 0)
		ns = bpf_ktime_get_ns() - request.start_ns;
	ceph_count(&request, ns, error_of(result));
	return 0;
}

/* --- capabilities */

SEC("?fentry/ceph_get_caps")
int BPF_PROG(ceph_caps_begin, struct file *file)
{
	caps_begin(ceph__device_of_file(file));
	return 0;
}

SEC("?fexit/ceph_get_caps")
int BPF_PROG(ceph_caps_end, struct file *file, int need, int want, __s64 end, int *got, int result)
{
	caps_end(result);
	return 0;
}

/* Linux 6.8 has this below it, for those who have no file. */
SEC("?fentry/__ceph_get_caps")
int BPF_PROG(ceph_caps_inode_begin, struct inode *inode)
{
	caps_begin(ceph__device(BPF_CORE_READ(inode, i_sb)));
	return 0;
}

SEC("?fexit/__ceph_get_caps")
int BPF_PROG(ceph_caps_inode_end, struct inode *inode, void *info, int need, int want, __s64 end,
	     int *got, int result)
{
	caps_end(result);
	return 0;
}

/* --- reads, from the page cache or not */

SEC("?fentry/ceph_read_iter")
int BPF_PROG(ceph_read_begin, struct kiocb___any *call)
{
	read_begin(call);
	return 0;
}

SEC("?fexit/ceph_read_iter")
int BPF_PROG(ceph_read_end, void *call, void *to, long result)
{
	read_end(result);
	return 0;
}

/* --- who writes pages back */

SEC("?fentry/ceph_writepages_start")
int BPF_PROG(ceph_writeback_begin)
{
	writes_back(true);
	return 0;
}

SEC("?fexit/ceph_writepages_start")
int BPF_PROG(ceph_writeback_end)
{
	writes_back(false);
	return 0;
}
