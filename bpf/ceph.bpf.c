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
 * kprobes, which know arguments only. The recorder loads one of them, and only while there is a
 * mount, into the maps of the programs that run already (capture/ceph_programs.c).
 *
 * Programs on functions' types can be preempted: nothing may be kept in a CPU's own memory. */
#include "compat.bpf.h"
#include "ceph.bpf.h"
#include "io.bpf.h"
#include "walker.bpf.h"

#define EIOCBQUEUED 529 /* the answer comes later */

struct ceph_sums_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_CEPH_SUMS);
	__uint(key_size, sizeof(struct ps_ceph_key));
	__uint(value_size, sizeof(struct ps_ceph_sum));
};

/* One entry, swapped each slice like the counts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ceph_sums_map);
} ceph_sums SEC(".maps");

/* address of a request -> what is known of it */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_CEPH_REQUESTS);
	__type(key, __u64);
	__type(value, struct ps_ceph_request);
} ceph_requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_CEPH_HISTOGRAMS);
	__type(key, struct ps_ceph_histogram_key);
	__type(value, struct ps_ceph_histogram);
} ceph_histograms SEC(".maps");

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
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PS_CEPH_THREADS);
	__type(key, __u32);
	__type(value, struct ceph_thread);
} ceph_threads SEC(".maps");

/* Whether this CPU's walker is in use: walks can be preempted. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} ceph_walks SEC(".maps");

static __always_inline struct ceph_thread *thread_of_current(bool make)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct ceph_thread *thread = bpf_map_lookup_elem(&ceph_threads, &tid), nothing = {};

	if (thread || !make)
		return thread;
	bpf_map_update_elem(&ceph_threads, &tid, &nothing, BPF_ANY);
	return bpf_map_lookup_elem(&ceph_threads, &tid);
}

static __always_inline __u64 current_epoch(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);

	return who && who->wanted ? who->epoch : 0;
}

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
__noinline __u64 ceph_walk(__u64 epoch)
{
	__u32 zero = 0, *busy = bpf_map_lookup_elem(&ceph_walks, &zero);
	__u64 stack;

	if (!busy)
		return 0;
	if (*busy) {
		count_event(PS_COUNTER_CEPH_STACK_BUSY);
		return 0;
	}
	*busy = 1;
	stack = walker__walk(WALKER_CEPH, epoch, NULL, 0, 0);
	*(volatile __u32 *)busy = 0;
	return stack;
}

/* Who sends it, and whether its stack is chosen. false: it is nobody's who is recorded. */
static __always_inline bool describe_sender(struct ps_ceph_request *request)
{
	__u64 id = bpf_get_current_pid_tgid(), period = ceph_period;

	request->epoch = current_epoch();
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

static __always_inline __u32 error_of(__s64 result)
{
	return result < 0 && result >= -4095 ? -result : 0;
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

/* Without types the operation is known only when the request is made. */
SEC("?kprobe/ceph_mdsc_create_request")
int ceph_mds_create_k(struct pt_regs *ctx)
{
	int op = (int)ctx->rsi;
	struct ceph_thread *thread = thread_of_current(true);

	if (thread)
		thread->op = op;
	return 0;
}

SEC("?kretprobe/ceph_mdsc_create_request")
int ceph_mds_made_k(struct pt_regs *ctx)
{
	void *request = (void *)ctx->rax;
	struct ceph_thread *thread = thread_of_current(false);
	struct ps_ceph_request made = {};
	__u64 key = (__u64)request;

	if (!thread || !request || error_of((__s64)request))
		return 0;
	made.class = thread->op;
	if (bpf_map_update_elem(&ceph_requests, &key, &made, BPF_ANY))
		count_event(PS_COUNTER_CEPH_FULL);
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
	struct ceph_thread *thread = thread_of_current(true);

	if (thread)
		thread->request = (__u64)request;
	return 0;
}

SEC("?kretprobe/ceph_mdsc_do_request")
int ceph_mds_done_k(struct pt_regs *ctx)
{
	int result = (int)ctx->rax;
	struct ceph_thread *thread = thread_of_current(false);

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
	struct ceph_thread *thread = thread_of_current(true);

	if (thread)
		thread->answered = ctx->rsi;
	return 0;
}

SEC("?kprobe/ceph_update_metadata_latency")
int ceph_mds_answer_k(struct pt_regs *ctx)
{
	struct ceph_thread *thread = thread_of_current(false);

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
	struct ceph_thread *thread = thread_of_current(false);
	struct ps_ceph_request request = {
		.class = osd_class(op, thread), .device = device, .bytes = bytes};

	if (thread && thread->read_ns && request.class == PS_CEPH_OSD_READ)
		thread->read_requests++;
	begin(address, &request);
}

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

/* struct ceph_osd_request *ceph_osdc_new_request(osdc, layout, struct ceph_vino, offset, *length,
 * which, op count, op, ...): the structure takes two registers, the op is the third on the stack.
 */
SEC("?kprobe/ceph_osdc_new_request")
int ceph_osd_create_k(struct pt_regs *ctx)
{
	struct ceph_thread *thread = thread_of_current(true);
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
	void *request = (void *)ctx->rax;
	struct ceph_thread *thread = thread_of_current(false);
	struct ps_ceph_request made = {};
	__u64 key = (__u64)request;

	if (!thread || !request || error_of((__s64)request))
		return 0;
	/* Until it is sent, the operation. */
	made.class = thread->op;
	bpf_probe_read_kernel(&made.bytes, sizeof(made.bytes), (const void *)thread->length_at);
	if (bpf_map_update_elem(&ceph_requests, &key, &made, BPF_ANY))
		count_event(PS_COUNTER_CEPH_FULL);
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

static __always_inline __u64 switches_of_current(void)
{
	struct task_struct___switches *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, nvcsw);
}

static __always_inline void caps_begin(__u32 device)
{
	struct ceph_thread *thread = thread_of_current(true);

	if (!thread)
		return;
	thread->device = device;
	thread->caps_switches = switches_of_current();
	thread->caps_ns = bpf_ktime_get_ns();
}

/* A wait is one in which the thread slept. */
static __always_inline void caps_end(__s64 result)
{
	struct ceph_thread *thread = thread_of_current(false);
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

static __always_inline void read_begin(struct kiocb___any *call)
{
	struct ceph_thread *thread = thread_of_current(true);

	if (!thread)
		return;
	thread->read_requests = 0;
	thread->read_device = ceph__device_of_file(BPF_CORE_READ(call, ki_filp));
	thread->read_ns = bpf_ktime_get_ns();
}

static __always_inline void read_end(__s64 result)
{
	struct ceph_thread *thread = thread_of_current(false);
	struct ps_ceph_request read = {};
	__u64 since;

	if (!thread || !thread->read_ns)
		return;
	since = thread->read_ns;
	thread->read_ns = 0;
	read.epoch = current_epoch();
	if (!read.epoch)
		return;
	read.class = thread->read_requests ? PS_CEPH_READ_NETWORK : PS_CEPH_READ_CACHED;
	read.device = thread->read_device;
	read.bytes = result > 0 ? result : 0;
	ceph_count(&read, bpf_ktime_get_ns() - since,
		   result == -EIOCBQUEUED ? 0 : error_of(result));
}

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

static __always_inline void writes_back(bool begins)
{
	struct ceph_thread *thread = thread_of_current(begins);

	if (thread)
		thread->writes_back = begins;
}

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
