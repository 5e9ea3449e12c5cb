// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "ceph" where the modules bring no types: what ceph.bpf.c does, as kprobes. They know the
 * arguments of functions alone, by the calling convention of x86-64. */
#include "compat.bpf.h"
#include "ceph_calls.bpf.h"
#include "counts.bpf.h"

/* --- requests to metadata servers */

/* A request was made, of which the thread has noted the operation, and for a storage server where
 * its length is. Until it is sent, its class is the operation. */
static __always_inline void made(void *request, bool has_length)
{
	struct ceph_thread *thread = ceph__thread(false);
	struct ps_ceph_request made = {};
	__u64 key = (__u64)request;

	if (!thread || !request || is_error((__s64)request))
		return;
	made.class = thread->op;
	if (has_length)
		bpf_probe_read_kernel(&made.bytes, sizeof(made.bytes),
				      (const void *)thread->length_at);
	if (bpf_map_update_elem(&ceph_requests, &key, &made, BPF_ANY))
		count_event(PS_COUNTER_CEPH_FULL);
}

/* Without types the operation is known only when the request is made. */
SEC("?kprobe/ceph_mdsc_create_request")
int ceph_mds_create_k(struct pt_regs *ctx)
{
	int op = (int)ctx->rsi;
	struct ceph_thread *thread = ceph__thread(true);

	if (thread)
		thread->op = op;
	return 0;
}

SEC("?kretprobe/ceph_mdsc_create_request")
int ceph_mds_made_k(struct pt_regs *ctx)
{
	made((void *)ctx->rax, false);
	return 0;
}

SEC("?kprobe/ceph_mdsc_submit_request")
int ceph_mds_submit_k(struct pt_regs *ctx)
{
	void *mdsc = (void *)ctx->rdi;
	void *request = (void *)ctx->rdx;
	__u64 key = (__u64)request;
	const struct ps_ceph_request *made = bpf_map_lookup_elem(&ceph_requests, &key);

	mds_begin(mdsc, request, made ? made->class : PS_CEPH_MDS_UNKNOWN);
	return 0;
}

SEC("?kprobe/ceph_mdsc_do_request")
int ceph_mds_do_k(struct pt_regs *ctx)
{
	void *request = (void *)ctx->rdx;
	struct ceph_thread *thread = ceph__thread(true);

	if (thread)
		thread->request = (__u64)request;
	return 0;
}

SEC("?kretprobe/ceph_mdsc_do_request")
int ceph_mds_done_k(struct pt_regs *ctx)
{
	int result = (int)ctx->rax;
	struct ceph_thread *thread = ceph__thread(false);

	if (thread && thread->request)
		mds_end((void *)thread->request, error_of(result), false);
	if (thread)
		thread->request = 0;
	return 0;
}

/* Who waits is woken some time after the answer. The thread that takes it looks at it, and then
 * counts it for the client's own figures: that is the moment, where the kernel has a function for
 * it. */
SEC("?kprobe/ceph_fill_trace")
int ceph_mds_fill_k(struct pt_regs *ctx)
{
	struct ceph_thread *thread = ceph__thread(true);

	if (thread)
		thread->answered = ctx->rsi;
	return 0;
}

SEC("?kprobe/ceph_update_metadata_latency")
int ceph_mds_answer_k(struct pt_regs *ctx)
{
	struct ceph_thread *thread = ceph__thread(false);

	if (thread && thread->answered)
		mds_end((void *)thread->answered, error_of((int)ctx->rcx), false);
	if (thread)
		thread->answered = 0;
	return 0;
}

SEC("?kprobe/ceph_async_create_cb")
int ceph_mds_created_k(struct pt_regs *ctx)
{
	mds_end((void *)ctx->rsi, 0, false);
	return 0;
}

SEC("?kprobe/ceph_async_unlink_cb")
int ceph_mds_unlinked_k(struct pt_regs *ctx)
{
	mds_end((void *)ctx->rsi, 0, false);
	return 0;
}

/* --- requests to storage servers */

/* struct ceph_osd_request *ceph_osdc_new_request(osdc, layout, struct ceph_vino, offset, *length,
 * which, op count, op, ...): the structure takes two registers, the op is the third on the stack.
 */
SEC("?kprobe/ceph_osdc_new_request")
int ceph_osd_create_k(struct pt_regs *ctx)
{
	struct ceph_thread *thread = ceph__thread(true);
	int op = 0;

	if (!thread)
		return 0;
	bpf_probe_read_kernel(&op, sizeof(op), (const void *)(ctx->rsp + 24));
	thread->op = op;
	thread->length_at = ctx->r9;
	return 0;
}

SEC("?kretprobe/ceph_osdc_new_request")
int ceph_osd_made_k(struct pt_regs *ctx)
{
	made((void *)ctx->rax, true);
	return 0;
}

/* A write of pages learns its length piece by piece. */
SEC("?kprobe/osd_req_op_extent_update")
int ceph_osd_update_k(struct pt_regs *ctx)
{
	void *request = (void *)ctx->rdi;
	unsigned int which = (unsigned int)ctx->rsi;
	__u64 length = (__u64)ctx->rdx;
	__u64 key = (__u64)request;
	struct ps_ceph_request *made = bpf_map_lookup_elem(&ceph_requests, &key);

	if (made && !made->start_ns)
		made->bytes = which ? made->bytes + length : length;
	return 0;
}

SEC("?kprobe/ceph_osdc_start_request")
int ceph_osd_start_k(struct pt_regs *ctx)
{
	void *osdc = (void *)ctx->rdi;
	void *request = (void *)ctx->rsi;
	__u64 key = (__u64)request;
	const struct ps_ceph_request *made = bpf_map_lookup_elem(&ceph_requests, &key);
	__u32 device = ceph__device_of_osdc(osdc, false);

	if (device)
		osd_begin(request, device, made ? made->class : 0, made ? made->bytes : 0);
	return 0;
}

/* Bytes of reads are those that were asked for: how many came cannot be known here. */
SEC("?kprobe/__complete_request")
int ceph_osd_done_k(struct pt_regs *ctx)
{
	void *osd = (void *)ctx->rdi;
	struct ps_ceph_request request;

	if (take(osd, &request))
		ceph_count(&request, bpf_ktime_get_ns() - request.start_ns, 0);
	return 0;
}

/* --- capabilities */

SEC("?kprobe/ceph_get_caps")
int ceph_caps_begin_k(struct pt_regs *ctx)
{
	struct file *file = (struct file *)ctx->rdi;
	caps_begin(ceph__device_of_file(file));
	return 0;
}

SEC("?kretprobe/ceph_get_caps")
int ceph_caps_end_k(struct pt_regs *ctx)
{
	int result = (int)ctx->rax;
	caps_end(result);
	return 0;
}

/* --- reads, from the page cache or not */

SEC("?kprobe/ceph_read_iter")
int ceph_read_begin_k(struct pt_regs *ctx)
{
	struct kiocb___any *call = (struct kiocb___any *)ctx->rdi;
	read_begin(call);
	return 0;
}

SEC("?kretprobe/ceph_read_iter")
int ceph_read_end_k(struct pt_regs *ctx)
{
	long result = (long)ctx->rax;
	read_end(result);
	return 0;
}

/* --- who writes pages back */

SEC("?kprobe/ceph_writepages_start")
int ceph_writeback_begin_k(struct pt_regs *ctx)
{
	writes_back(true);
	return 0;
}

SEC("?kretprobe/ceph_writepages_start")
int ceph_writeback_end_k(struct pt_regs *ctx)
{
	writes_back(false);
	return 0;
}
