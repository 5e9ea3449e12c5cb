// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "alloc": allocators of chosen processes, at breakpoints that the recorder sets for a
 * window of time and takes away again.
 *
 * A call is counted where it begins. What it gives is known when it returns; only functions that
 * cannot throw have a probe there. A thread's calls in each other lie on a small stack, told apart
 * by the stack pointer: what one allocator gets from another for its caller is the same block.
 *
 * These programs can be preempted: nothing is kept in a CPU's own memory but what may be wrong by
 * one. */
#include "compat.bpf.h"
#include "alloc.bpf.h"
#include "alloc.h"
#include "walker.bpf.h"

#define CHUNK_FLAGS  7ULL /* of glibc's size in front of a block */
#define CHUNK_MAPPED 2ULL /* … mapped by itself */

__u32 alloc_window = 0; /* number; 0: closed */
__u32 alloc_opening = 0; /* grows with each set of breakpoints */
__u64 alloc_watched_until = 0;
__u64 alloc_period_calls = 256;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_ALLOC_POINTS);
	__type(key, struct ps_alloc_point);
	__type(value, struct ps_alloc_target);
} alloc_points SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PS_ALLOC_SUMS);
	__type(key, struct ps_alloc_key);
	__type(value, struct ps_alloc_sum);
} alloc_sums SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_ALLOC_PROCESSES);
	__type(key, __u32);
	__type(value, struct ps_alloc_process);
} alloc_processes SEC(".maps");

/* tgid -> programs that it has begun */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_ALLOC_PROCESSES);
	__type(key, __u32);
	__type(value, struct ps_alloc_exec);
} alloc_execs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PS_ALLOC_LIVE);
	__type(key, struct ps_alloc_block_key);
	__type(value, struct ps_alloc_block);
} alloc_blocks SEC(".maps");

struct alloc_call {
	__u64 stack; /* pointer where it began */
	__u64 place; /* INTO: where the block's address goes */
	__u64 heads;
	struct ps_alloc_block block;
	__u32 into, nested;
};

struct alloc_thread {
	__u64 start_ns; /* of the thread: its number may have had another owner */
	__u32 opening;
	__u32 depth;
	struct alloc_call calls[PS_ALLOC_DEPTH];
};

/* tid -> the calls that it is in. The least recently used go by themselves. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PS_ALLOC_THREADS);
	__type(key, __u32);
	__type(value, struct alloc_thread);
} alloc_threads SEC(".maps");

/* All zeros, what new entries begin with. */
struct alloc_cpu {
	struct ps_alloc_sum no_sum;
	struct alloc_thread no_thread;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct alloc_cpu);
} alloc_cpus SEC(".maps");

static __always_inline struct alloc_cpu *this_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&alloc_cpus, &zero);
}

static __always_inline struct ps_alloc_sum *sum_of(__u64 epoch, __u32 allocator,
						   const struct alloc_cpu *cpu)
{
	struct ps_alloc_key key = {.epoch = epoch, .window = alloc_window, .allocator = allocator};
	struct ps_alloc_sum *sum = bpf_map_lookup_elem(&alloc_sums, &key);

	if (sum)
		return sum;
	bpf_map_update_elem(&alloc_sums, &key, &cpu->no_sum, BPF_NOEXIST);
	sum = bpf_map_lookup_elem(&alloc_sums, &key);
	if (!sum)
		count_event(PS_COUNTER_ALLOC_FULL);
	return sum;
}

/* The calls of the current thread; stack: pointer now. What lies below it was left by a jump; what
 * lies at it has gone on as another function, and returns with that. */
static __always_inline struct alloc_thread *thread_of(__u32 tid, const struct alloc_cpu *cpu,
						      __u64 stack)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 start_ns = BPF_CORE_READ(task, start_boottime);
	struct alloc_thread *thread = bpf_map_lookup_elem(&alloc_threads, &tid);

	if (!thread) {
		bpf_map_update_elem(&alloc_threads, &tid, &cpu->no_thread, BPF_NOEXIST);
		thread = bpf_map_lookup_elem(&alloc_threads, &tid);
	}
	if (!thread)
		return NULL;
	if (thread->start_ns != start_ns || thread->opening != alloc_opening) {
		thread->start_ns = start_ns;
		thread->opening = alloc_opening;
		thread->depth = 0;
	}
	for (int i = 0; i < PS_ALLOC_DEPTH; i++) {
		__u32 at = thread->depth - 1;

		HIDE_RANGE(at);
		if (at >= PS_ALLOC_DEPTH || thread->calls[at & (PS_ALLOC_DEPTH - 1)].stack >= stack)
			break;
		thread->depth = at;
	}
	return thread;
}

/* No number of large blocks makes a sum that readers refuse. */
static __always_inline void add_bytes(__u64 *sum, __u64 bytes)
{
	if (bytes && *sum < PS_ALLOC_MOST_SUM)
		__sync_fetch_and_add(sum, bytes);
}

__noinline int alloc__bucket(__u64 bytes)
{
	__u32 bucket = 0;

	for (int shift = 32; shift; shift >>= 1) {
		if (bytes >> shift) {
			bytes >>= shift;
			bucket += shift;
		}
	}
	return bucket;
}

/* --- sampling */

/* The stack of current, where an allocator begins; 0: none. */
__noinline __u64 alloc__walk(__u64 epoch)
{
	return walker__walk_alone(WALKER_ALLOC, epoch, PS_COUNTER_ALLOC_STACK_BUSY);
}

static __always_inline void choose_stack(struct ps_alloc_block *block, __u64 id)
{
	struct ps_count key = {.epoch = block->epoch, .class = block->allocator};
	__u64 calls = choose(1, alloc_period_calls, bpf_get_prandom_u32());

	block->weight = alloc__weight(block->bytes);
	if (!block->weight && !calls)
		return;
	block->stack = alloc__walk(block->epoch);
	key.stack = block->stack;
	key.tgid = id >> 32;
	key.tid = (__u32)id;
	if (block->weight) {
		key.metric = PS_METRIC_ALLOC_BYTES;
		counts__add(&key, block->weight);
	}
	if (calls) {
		key.metric = PS_METRIC_ALLOC_COUNT;
		counts__add(&key, calls);
	}
}

/* --- blocks */

/* What glibc has put in front of a block: how much it holds. */
static __always_inline __u64 held_by(__u64 block)
{
	__u64 chunk = 0, bytes;

	if (bpf_probe_read_user(&chunk, sizeof(chunk), (const void *)(block - 8)))
		return 0;
	bytes = (chunk & ~CHUNK_FLAGS) - (chunk & CHUNK_MAPPED ? 16 : 8);
	return bytes <= PS_ALLOC_MOST ? bytes : 0; /* else it was none of glibc's */
}

static __always_inline void release(const struct ps_alloc_target *target, __u64 epoch, __u64 id,
				    __u64 address, const struct alloc_cpu *cpu)
{
	struct ps_alloc_block_key key = {.address = address, .tgid = id >> 32};
	struct ps_alloc_block *block = bpf_map_lookup_elem(&alloc_blocks, &key);
	struct ps_alloc_process *process;
	struct ps_alloc_sum *sum;
	__u64 bytes, age;

	if (target->flags & PS_ALLOC_HEADS) {
		sum = sum_of(epoch, target->allocator, cpu);
		bytes = held_by(address);
		if (sum && bytes)
			__sync_fetch_and_add(&sum->net_bytes, -bytes);
	}
	if (!block)
		return;
	sum = sum_of(block->epoch, block->allocator, cpu);
	bytes = block->bytes;
	if (sum) {
		age = bpf_ktime_get_ns() - block->time_ns;
		__sync_fetch_and_add(&sum->freed, 1);
		add_bytes(&sum->freed_bytes, bytes);
		if (block->time_ns & 1 && age <= PS_ALLOC_SOON_NS) {
			__sync_fetch_and_add(&sum->soon, 1);
			add_bytes(&sum->soon_bytes, bytes);
		}
	}
	process = bpf_map_lookup_elem(&alloc_processes, &key.tgid);
	if (process && bytes)
		__sync_fetch_and_add(&process->held_bytes, -bytes);
	bpf_map_delete_elem(&alloc_blocks, &key);
}

static __always_inline void give(struct alloc_call *call, __u64 id, __u64 address,
				 const struct alloc_cpu *cpu)
{
	struct ps_alloc_block_key key = {.address = address, .tgid = id >> 32};
	struct ps_alloc_sum *sum = sum_of(call->block.epoch, call->block.allocator, cpu);
	struct ps_alloc_process *process;
	__u64 now = bpf_ktime_get_ns(), bytes = call->block.bytes, held;

	if (!sum)
		return;
	if (call->heads) {
		held = held_by(address);
		if (held)
			__sync_fetch_and_add(&sum->net_bytes, held);
	}
	if (call->nested)
		return;
	call->block.time_ns = (now & ~1ULL) | (now <= alloc_watched_until);
	if (bpf_map_update_elem(&alloc_blocks, &key, &call->block, BPF_ANY)) {
		count_event(PS_COUNTER_ALLOC_BLOCKS_FULL);
		return;
	}
	if (now <= alloc_watched_until) {
		__sync_fetch_and_add(&sum->watched, 1);
		add_bytes(&sum->watched_bytes, bytes);
	}
	process = bpf_map_lookup_elem(&alloc_processes, &key.tgid);
	if (process && bytes) {
		__sync_fetch_and_add(&process->held_bytes, bytes);
		held = process->held_bytes;
		if ((__s64)held > (__s64)process->held_peak)
			process->held_peak = held;
	}
}

/* --- at breakpoints */

static __always_inline void count_hit(struct ps_alloc_process *process, __u32 kind, __u64 since)
{
	HIDE_RANGE(kind);
	if (kind >= PS_ALLOC_HITS)
		return;
	__sync_fetch_and_add(&process->hits[kind], 1);
	__sync_fetch_and_add(&process->run_ns, bpf_ktime_get_ns() - since);
}

static __always_inline bool returns(__u32 kind)
{
	return kind != PS_ALLOC_FREE && kind != PS_ALLOC_NEW && kind != PS_ALLOC_DELETE;
}

static __always_inline __u64 epoch_of(__u32 tgid)
{
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);

	return who && who->wanted ? who->epoch : 0;
}

struct arguments {
	__u64 first, second, third, stack;
};

static __always_inline __u64 size_of(__u32 kind, const struct arguments *arguments)
{
	if (kind == PS_ALLOC_INTO)
		return arguments->third;
	if (kind == PS_ALLOC_PRODUCT && arguments->second &&
	    arguments->first > PS_ALLOC_MOST / arguments->second)
		return PS_ALLOC_MOST + 1; /* it may not fit into a number */
	if (kind == PS_ALLOC_PRODUCT)
		return arguments->first * arguments->second;
	if (kind == PS_ALLOC_ALIGNED || kind == PS_ALLOC_AGAIN)
		return arguments->second;
	return arguments->first;
}

/* Counts the call; what follows its return waits on the thread's stack of calls. */
static __always_inline void begin(const struct ps_alloc_target *target,
				  const struct arguments *arguments, __u64 epoch, __u64 id)
{
	struct alloc_cpu *cpu = this_cpu();
	struct alloc_thread *thread;
	struct ps_alloc_sum *sum;
	struct alloc_call *call;
	__u64 asked = size_of(target->kind, arguments);
	/* What must fail is a call, but no bytes. */
	bool fails = asked > PS_ALLOC_MOST;
	__u64 bytes = fails ? 0 : asked;
	__u32 at, bucket;

	if (!cpu)
		return;
	sum = sum_of(epoch, target->allocator, cpu);
	if (!sum)
		return;
	__sync_fetch_and_add(&sum->count, 1);
	if (target->kind == PS_ALLOC_FREE || target->kind == PS_ALLOC_DELETE) {
		if (arguments->first && target->kind == PS_ALLOC_FREE)
			release(target, epoch, id, arguments->first, cpu);
		return;
	}
	add_bytes(&sum->bytes, bytes);
	bucket = alloc__bucket(asked);
	HIDE_RANGE(bucket);
	__sync_fetch_and_add(&sum->sizes[bucket & (PS_ALLOC_BUCKETS - 1)], 1);
	if (target->kind == PS_ALLOC_NEW) {
		struct ps_alloc_block block = {
			.bytes = bytes, .epoch = epoch, .allocator = target->allocator};

		if (target->flags & PS_ALLOC_OWN)
			choose_stack(&block, id);
		return;
	}
	if (target->kind == PS_ALLOC_AGAIN && arguments->first && !fails)
		release(target, epoch, id, arguments->first, cpu);
	thread = thread_of((__u32)id, cpu, arguments->stack);
	if (!thread)
		return;
	at = thread->depth;
	HIDE_RANGE(at);
	if (at) {
		__sync_fetch_and_add(&sum->nested, 1);
		add_bytes(&sum->nested_bytes, bytes);
	}
	if (at >= PS_ALLOC_DEPTH)
		return;
	call = &thread->calls[at & (PS_ALLOC_DEPTH - 1)];
	__builtin_memset(call, 0, sizeof(*call));
	call->stack = arguments->stack;
	call->place = arguments->first;
	call->into = target->kind == PS_ALLOC_INTO;
	call->heads = target->flags & PS_ALLOC_HEADS;
	call->nested = at > 0;
	call->block.bytes = bytes;
	call->block.epoch = epoch;
	call->block.allocator = target->allocator;
	call->block.tid = (__u32)id;
	thread->depth = at + 1;
	if (!at)
		choose_stack(&call->block, id);
}

SEC("?uprobe")
int alloc_enter(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), since = bpf_ktime_get_ns(), epoch;
	struct ps_alloc_point point = {.address = ctx->rip, .tgid = id >> 32};
	const struct ps_alloc_target *target = bpf_map_lookup_elem(&alloc_points, &point);
	struct arguments arguments = {ctx->rdi, ctx->rsi, ctx->rdx, ctx->rsp};
	struct ps_alloc_process *process;
	__u32 tgid = id >> 32;

	/* Else the compiler chooses between their places, which the verifier does not allow. */
	HIDE_RANGE(arguments.first);
	HIDE_RANGE(arguments.second);
	HIDE_RANGE(arguments.third);
	process = bpf_map_lookup_elem(&alloc_processes, &tgid);
	if (!process)
		return 0;
	if (!target) {
		__sync_fetch_and_add(&process->strays, 1);
		return 0;
	}
	epoch = epoch_of(tgid);
	if (epoch && alloc_window)
		begin(target, &arguments, epoch, id);
	if (returns(target->kind))
		__sync_fetch_and_add(&process->to_return, 1);
	count_hit(process, target->flags & PS_ALLOC_STEPPED ? PS_ALLOC_HIT_STEPPED : PS_ALLOC_HIT,
		  since);
	return 0;
}

SEC("?uprobe")
int alloc_return(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), since = bpf_ktime_get_ns(), block;
	struct alloc_cpu *cpu = this_cpu();
	struct ps_alloc_process *process;
	struct alloc_thread *thread;
	struct alloc_call *call;
	__u32 tgid = id >> 32, at;

	process = bpf_map_lookup_elem(&alloc_processes, &tgid);
	if (!process || !cpu)
		return 0;
	/* The return address is gone from the stack. */
	thread = thread_of((__u32)id, cpu, ctx->rsp - 16);
	if (thread && alloc_window) {
		at = thread->depth - 1;
		HIDE_RANGE(at);
		call = &thread->calls[at & (PS_ALLOC_DEPTH - 1)];
		if (at < PS_ALLOC_DEPTH && call->stack == ctx->rsp - 8) {
			block = ctx->rax;
			if (call->into && (block || bpf_probe_read_user(&block, sizeof(block),
									(void *)call->place)))
				block = 0;
			if (block)
				give(call, id, block, cpu);
			thread->depth = at;
		}
	}
	count_hit(process, PS_ALLOC_HIT_RETURN, since);
	return 0;
}

/* --- another program in a process */

/* Breakpoints are the files', but what is known of them is the addresses of the program before. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(alloc_exec, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct ps_alloc_exec *exec = bpf_map_lookup_elem(&alloc_execs, &tgid);
	struct ps_alloc_process *process;

	if (!exec)
		return 0;
	process = bpf_map_lookup_elem(&alloc_processes, &tgid);
	if (process)
		process->held_bytes = 0;
	exec->cpu_ns = task->signal->sum_sched_runtime + task->se.sum_exec_runtime;
	__sync_fetch_and_add(&exec->count, 1);
	return 0;
}
