// SPDX-License-Identifier: GPL-2.0-or-later
/* `pipescope calls`: every call of chosen functions, by breakpoints where they begin and at each of
 * their instructions that return. Never uretprobes: they put another return address on the stack,
 * and a C++ exception that passes it ends the process.
 *
 * A thread's calls in each other lie on a stack here, told apart by the stack pointer, which is the
 * same at a function's first instruction and where it returns, or jumps to another function as its
 * last act. What lies below the pointer of a later event, or at it when another call begins, has
 * been left in a way that is not seen (an exception, longjmp), nobody knows when: no time. So has
 * what lies above it, when another call has put its return address in the place of that one's. */
#include "compat.bpf.h"
#include "calls.h"
#include "counts.bpf.h"
#include "maps.bpf.h"
#include "python.bpf.h"

#define CALLS_FRAMES 64 /* of a sampled thread's innermost ones */

/* What a breakpoint costs the thread; times are told without it. */
__u64 calls_cost_ns = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_CALLS_POINTS);
	__type(key, struct ps_calls_point);
	__type(value, struct ps_calls_target);
} calls_points SEC(".maps");

/* All its memory from the start on: samples meet functions in interrupts, in which the kernel has
 * none at hand for the second new one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_CALLS_FUNCTIONS);
	__type(key, struct ps_calls_function);
	__type(value, struct ps_calls_sum);
} calls_sums SEC(".maps");

/* Functions that nobody asked for -> 1: code objects, which are known when they are met. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PS_CALLS_FUNCTIONS);
	__type(key, struct ps_calls_function);
	__type(value, __u32);
} calls_others SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PS_CALLS_COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} calls_counters SEC(".maps");

struct call {
	struct ps_calls_function function;
	__u64 begin; /* the breakpoint's address */
	__u64 from; /* where it returns to; 0: could not be read */
	__u64 stack, since_ns;
	__u64 hits; /* of the thread, when it began */
	__u64 inner_ns; /* of counted calls in it */
	__u64 inside; /* 1: the function is on the stack already */
};

struct calls_thread {
	__u64 start_ns; /* of the thread: its number may have had another owner */
	__u64 hits;
	__u32 depth;
	__u32 pad;
	struct call calls[PS_CALLS_DEPTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PS_CALLS_THREADS);
	__type(key, __u32);
	__type(value, struct calls_thread);
} calls_threads SEC(".maps");

/* All zeros: what new entries begin with. And the place where frames are read. */
struct calls_scratch {
	struct ps_calls_sum sum;
	struct calls_thread thread;
	__u8 frame[PY_FRAME_BYTES];
	__u8 code[PY_FRAME_BYTES + 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct calls_scratch);
} calls_scratches SEC(".maps");

static __always_inline void count_call(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&calls_counters, &counter);

	if (value)
		*value += 1;
}

static __always_inline struct ps_calls_sum *sum_of(const struct ps_calls_function *function,
						   const struct calls_scratch *scratch)
{
	struct ps_calls_sum *sum = bpf_map_lookup_elem(&calls_sums, function);

	if (sum)
		return sum;
	bpf_map_update_elem(&calls_sums, function, &scratch->sum, BPF_NOEXIST);
	return bpf_map_lookup_elem(&calls_sums, function);
}

static __always_inline struct calls_thread *thread_of(__u32 tid,
						      const struct calls_scratch *scratch)
{
	struct calls_thread *thread = bpf_map_lookup_elem(&calls_threads, &tid);
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 start_ns = BPF_CORE_READ(task, start_boottime);

	if (!thread) {
		bpf_map_update_elem(&calls_threads, &tid, &scratch->thread, BPF_NOEXIST);
		thread = bpf_map_lookup_elem(&calls_threads, &tid);
		if (!thread)
			return NULL;
	}
	if (thread->start_ns && thread->start_ns != start_ns) {
		bpf_map_update_elem(&calls_threads, &tid, &scratch->thread, BPF_ANY);
		thread = bpf_map_lookup_elem(&calls_threads, &tid);
		if (!thread)
			return NULL;
	}
	thread->start_ns = start_ns;
	return thread;
}

/* Verified once: inside of another function, all its ways twice would be too many. */
__noinline int calls__bucket(__u64 ns)
{
	return log2_of(ns);
}

/* The innermost call; NULL: the thread is in none. */
static __always_inline struct call *innermost(struct calls_thread *thread)
{
	__u32 at = thread->depth - 1;

	HIDE_RANGE(at);
	return at < PS_CALLS_DEPTH ? &thread->calls[at & (PS_CALLS_DEPTH - 1)] : NULL;
}

/* It has ended, or was left. */
static __always_inline void take_off(struct calls_thread *thread, struct call *call)
{
	call->function.address = 0;
	thread->depth--;
}

/* The innermost call of the current thread has ended: adds its time up. */
__noinline int calls__end_call(__u64 now, __u64 jumped)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct calls_thread *thread = bpf_map_lookup_elem(&calls_threads, &tid);
	struct call *call = thread ? innermost(thread) : NULL, *outer;
	struct ps_calls_sum *sum;
	__u64 total, own, cost;

	if (!call)
		return 0;
	/* Of each breakpoint in it all the cost, of its own two half. */
	cost = calls_cost_ns * (thread->hits - call->hits);
	total = now - call->since_ns;
	total = total > cost ? total - cost : 0;
	own = total > call->inner_ns ? total - call->inner_ns : 0;
	sum = bpf_map_lookup_elem(&calls_sums, &call->function);
	if (sum) {
		__u32 of_total = calls__bucket(total), of_own = calls__bucket(own);

		HIDE_RANGE(of_total);
		HIDE_RANGE(of_own);
		of_total &= PS_CALLS_BUCKETS - 1;
		of_own &= PS_CALLS_BUCKETS - 1;
		__sync_fetch_and_add(&sum->ended, 1);
		__sync_fetch_and_add(&sum->jumped, jumped);
		if (own)
			__sync_fetch_and_add(&sum->own_ns, own);
		if (total && !call->inside)
			__sync_fetch_and_add(&sum->total_ns, total);
		__sync_fetch_and_add(&sum->total[of_total], 1);
		__sync_fetch_and_add(&sum->own[of_own], 1);
	}
	take_off(thread, call);
	outer = innermost(thread);
	if (outer)
		outer->inner_ns += total;
	return 0;
}

/* What is at the stack pointer when a call begins: where it returns to. */
static __always_inline __u64 return_address(__u64 stack)
{
	__u64 address = 0;

	bpf_probe_read_user(&address, sizeof(address), (const void *)stack);
	return address;
}

/* Another call lies where this one did. */
static __always_inline bool is_replaced(const struct call *call)
{
	__u64 now = return_address(call->stack);

	return now && call->from && now != call->from;
}

/* Drops the current thread's innermost call if it was left before an event at this stack pointer;
 * `begins`: a call begins. 1: it was, there may be more. */
__noinline int calls__drop_one(__u64 stack, __u64 begins)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct calls_thread *thread = bpf_map_lookup_elem(&calls_threads, &tid);
	struct call *call = thread ? innermost(thread) : NULL;
	struct ps_calls_sum *sum;

	if (!call)
		return 0;
	if (call->stack >= stack + begins && !(begins && is_replaced(call)))
		return 0;
	sum = bpf_map_lookup_elem(&calls_sums, &call->function);
	if (sum)
		__sync_fetch_and_add(&sum->left, 1);
	take_off(thread, call);
	return 1;
}

/* Drops all of them. */
__noinline int calls__drop(__u64 stack, __u64 begins)
{
	for (int i = 0; i < PS_CALLS_DEPTH; i++)
		if (!calls__drop_one(stack, begins))
			break;
	return 0;
}

/* The innermost call, if it has this stack pointer and began at this breakpoint. */
static __always_inline const struct call *going_on(struct calls_thread *thread, __u64 stack,
						   __u64 begin)
{
	const struct call *call = innermost(thread);

	return call && call->stack == stack && call->begin == begin ? call : NULL;
}

/* The function's first instruction is met again: 1: by a jump in the call that goes on. */
static __always_inline int is_turn(struct calls_thread *thread, __u64 stack, __u64 begin)
{
	const struct call *call = going_on(thread, stack, begin);

	return call && !is_replaced(call);
}

/* 1: both are the same. Without a branch, which would double the verifier's states in a loop. */
static __always_inline __u64 is_same(__u64 one, __u64 other)
{
	__u64 difference = one ^ other;

	return ((difference | -difference) >> 63) ^ 1;
}

/* Of a call that begins. */
#define CALL_RECURSIVE 1 /* inside of another one of the same function */
#define CALL_DEEP      2 /* there is no room for it; not CALL_RECURSIVE: not known */

/* A call of the function begins. Places above the innermost call hold no address. */
__noinline int calls__begin(__u64 address, __u32 check, __u64 begin, __u64 stack, __u64 now)
{
	__u64 id = bpf_get_current_pid_tgid(), inside = 0;
	__u32 tid = id, at;
	struct calls_thread *thread = bpf_map_lookup_elem(&calls_threads, &tid);
	struct call *call;

	if (!thread)
		return 0;
	for (__u32 i = 0; i < PS_CALLS_DEPTH; i++)
		inside |= is_same(thread->calls[i].function.address, address);
	at = thread->depth;
	HIDE_RANGE(at);
	if (at >= PS_CALLS_DEPTH)
		return CALL_DEEP | inside;
	call = &thread->calls[at & (PS_CALLS_DEPTH - 1)];
	call->function.address = address;
	call->function.tgid = id >> 32;
	call->function.check = check;
	call->begin = begin;
	call->from = return_address(stack);
	call->stack = stack;
	call->since_ns = now;
	call->hits = thread->hits;
	call->inner_ns = 0;
	call->inside = inside;
	thread->depth = at + 1;
	return inside;
}

/* Adds a call up that calls__begin() has judged. */
static __always_inline void add_call(struct ps_calls_sum *sum, int judged)
{
	__sync_fetch_and_add(&sum->count, 1);
	if (judged & CALL_RECURSIVE)
		__sync_fetch_and_add(&sum->recursive, 1);
	if (judged & CALL_DEEP)
		__sync_fetch_and_add(&sum->deep, 1);
	if (judged == CALL_DEEP)
		__sync_fetch_and_add(&sum->unknown, 1);
}

/* The code object of a frame, and what tells it apart. 0: found. */
static __always_inline int read_code(struct calls_scratch *scratch, __u64 frame, __u32 index,
				     struct ps_calls_function *ret_function)
{
	const struct ps_py_offsets *layout = bpf_map_lookup_elem(&py_layouts, &index);
	__u32 size;
	__u64 code;

	if (!layout)
		return -1;
	if (bpf_probe_read_user(&code, sizeof(code), (const void *)(frame + layout->frame_code)))
		return -1;
	code &= ~(__u64)layout->code_tag_bits;
	size = layout->check_size;
	if (size > PY_FRAME_BYTES)
		size = PY_FRAME_BYTES;
	if (!size ||
	    bpf_probe_read_user(scratch->code, size, (const void *)(code + layout->check_start)))
		return -1;
	ret_function->address = code;
	ret_function->check = ps_py_code_check(
		*(__u64 *)(scratch->code + (layout->check_name & (PY_FRAME_BYTES - 8))),
		*(__u64 *)(scratch->code + (layout->check_file & (PY_FRAME_BYTES - 8))),
		*(__u64 *)(scratch->code + (layout->check_lines & (PY_FRAME_BYTES - 8))),
		*(__u32 *)(scratch->code + (layout->check_first_line & (PY_FRAME_BYTES - 4))),
		python__more(layout, scratch->code));
	return 0;
}

SEC("?uprobe")
int calls_hit(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	struct ps_calls_point point = {.address = ctx->rip, .tgid = id >> 32};
	const struct ps_calls_target *target = bpf_map_lookup_elem(&calls_points, &point);
	struct ps_calls_function function = {.address = ctx->rip, .tgid = id >> 32};
	struct calls_scratch *scratch;
	struct calls_thread *thread;
	__u64 first = ctx->rdi, second = ctx->rsi;
	struct ps_calls_sum *sum;
	__u32 zero = 0;
	bool is_end;
	int judged;

	/* Else the compiler chooses between their places, which the verifier does not allow. */
	HIDE_RANGE(first);
	HIDE_RANGE(second);
	if (!target)
		return 0;
	is_end = target->kind == PS_CALLS_RETURN || target->kind == PS_CALLS_JUMP;
	scratch = bpf_map_lookup_elem(&calls_scratches, &zero);
	if (!scratch)
		return 0;
	count_call(PS_CALLS_HITS);
	thread = thread_of((__u32)id, scratch);
	if (!thread) {
		if (!is_end)
			count_call(PS_CALLS_FULL);
		return 0;
	}
	thread->hits++;
	if (is_end || target->kind == PS_CALLS_LOOP_ENTRY)
		calls__drop(ctx->rsp, 0);
	if (is_end) {
		if (going_on(thread, ctx->rsp, target->begin))
			calls__end_call(now, target->kind == PS_CALLS_JUMP);
		return 0;
	}
	if (target->kind == PS_CALLS_LOOP_ENTRY && is_turn(thread, ctx->rsp, ctx->rip))
		return 0;
	calls__drop(ctx->rsp, 1);
	if ((target->kind == PS_CALLS_PYTHON_FIRST || target->kind == PS_CALLS_PYTHON_SECOND) &&
	    read_code(scratch, target->kind == PS_CALLS_PYTHON_FIRST ? first : second,
		      target->layout, &function)) {
		count_call(PS_CALLS_UNREADABLE);
		return 0;
	}
	if (function.check && bpf_map_lookup_elem(&calls_others, &function))
		return 0;
	sum = sum_of(&function, scratch);
	if (!sum) {
		count_call(PS_CALLS_FULL);
		return 0;
	}
	judged = calls__begin(function.address, function.check, ctx->rip, ctx->rsp, now);
	add_call(sum, judged);
	if ((target->kind == PS_CALLS_JUMPER || target->kind == PS_CALLS_RETURNER) &&
	    !(judged & CALL_DEEP))
		calls__end_call(now, target->kind == PS_CALLS_JUMPER);
	return 0;
}

/* --- what is not seen: from CPython 3.11 on a call from Python to Python stays in the loop */

struct calls_walk {
	struct python_walk walk;
	struct ps_calls_function last; /* address 0: none */
	__u32 layout, pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct calls_walk);
} calls_walks SEC(".maps");

static __always_inline void count_frame(const struct ps_calls_function *function, __u64 inlined)
{
	__u32 zero = 0;
	struct calls_scratch *scratch = bpf_map_lookup_elem(&calls_scratches, &zero);
	struct ps_calls_sum *sum;

	if (!function->address || !function->check || !scratch ||
	    bpf_map_lookup_elem(&calls_others, function))
		return;
	sum = sum_of(function, scratch);
	if (!sum) {
		count_call(PS_CALLS_SAMPLES_LOST);
		return;
	}
	__sync_fetch_and_add(&sum->sampled, 1);
	if (inlined)
		__sync_fetch_and_add(&sum->inlined, 1);
}

/* Counts the frame before, of which it is now known what began it. 1: there are more. */
__noinline int calls__sample_step(__u32 tgid)
{
	__u32 zero = 0;
	struct calls_walk *walk = bpf_map_lookup_elem(&calls_walks, &zero);
	const struct ps_py_offsets *layout;
	struct ps_frame frame = {};
	int status;

	if (!walk)
		return 0;
	layout = bpf_map_lookup_elem(&py_layouts, &walk->layout);
	if (!layout || !walk->walk.frame)
		return 0;
	status = python__step(&walk->walk, layout, &frame);
	if (status < 0)
		return 0;
	/* Of 3.11 the frame itself says so; later the frame behind it is a shim or is not. */
	count_frame(&walk->last, status != PY_NO_FRAME);
	walk->last.address = 0;
	if (status == PY_NO_FRAME)
		return 1;
	walk->last.address = frame.address;
	walk->last.tgid = tgid;
	walk->last.check = PS_FRAME_CHECK(&frame);
	if (frame.kind & PS_FRAME_LAST) {
		count_frame(&walk->last, 0);
		walk->last.address = 0;
	}
	return 1;
}

SEC("?perf_event")
int calls_sample(void *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, zero = 0;
	const struct ps_py_process *process = bpf_map_lookup_elem(&py_processes, &tgid);
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct ps_py_offsets *layout;
	struct calls_walk *walk;

	if (!process)
		return 0;
	walk = bpf_map_lookup_elem(&calls_walks, &zero);
	if (!walk)
		return 0;
	walk->layout = process->offsets;
	walk->last.address = 0;
	layout = bpf_map_lookup_elem(&py_layouts, &walk->layout);
	if (!layout || python__begin(&walk->walk, layout, process->runtime,
				     BPF_CORE_READ(task, thread.fsbase)))
		return 0;
	for (int i = 0; i < CALLS_FRAMES; i++)
		if (!calls__sample_step(tgid))
			break;
	return 0;
}
