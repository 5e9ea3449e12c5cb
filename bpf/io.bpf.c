// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "io". A call's time and bytes go into a slot of its thread, found by the file's inode and
 * the operation; a slot that another file needs is moved into a map, which the recorder takes each
 * slice together with the slots. So the hot path, many calls on few files, writes no shared memory.
 *
 * What a descriptor is, the kernel itself is asked each time (descriptor -> file -> inode): no
 * table of ours could know of every dup, close and reuse.
 *
 * Calls without a descriptor (stat, unlink, failed opens) are known by a hash of their path and of
 * the directory it is relative to. Failed calls always go to the map, under their errno. */
#include "compat.bpf.h"
#include "io.bpf.h"
#include "io_names.bpf.h"
#include "walker.bpf.h"

/* statfs() magic -> index of the histograms; set by the recorder */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u32);
} io_filesystems SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PS_IO_OP_COUNT *PS_IO_FILESYSTEMS);
	__type(key, __u32);
	__type(value, struct ps_io_histogram);
} io_histograms SEC(".maps");

/* A function of its own: its 64 ways through would multiply with those of every caller. */
__noinline __u32 io_log2_bucket(__u64 value)
{
	__u32 bucket = 0;

	for (int shift = 32; shift; shift >>= 1) {
		if (value >> shift) {
			value >>= shift;
			bucket += shift;
		}
	}
	return bucket < PS_IO_BUCKETS ? bucket : PS_IO_BUCKETS - 1;
}

static __always_inline void count_histogram(__u32 op, __u32 filesystem, __u64 ns, __u64 bytes)
{
	__u32 index = op * PS_IO_FILESYSTEMS + (filesystem & (PS_IO_FILESYSTEMS - 1));
	struct ps_io_histogram *histogram = bpf_map_lookup_elem(&io_histograms, &index);
	__u32 bucket;

	if (!histogram)
		return;
	bucket = io_log2_bucket(ns);
	if (bucket < PS_IO_BUCKETS)
		histogram->ns[bucket]++;
	if (op != PS_IO_READ && op != PS_IO_WRITE)
		return;
	bucket = io_log2_bucket(bytes);
	if (bucket < PS_IO_BUCKETS)
		histogram->bytes[bucket]++;
}

static __always_inline __u64 current_epoch(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);

	return who && who->wanted ? who->epoch : 0;
}

/* --- by descriptor */

static __always_inline __u32 filesystem_index(struct inode *inode)
{
	__u64 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	const __u32 *index = bpf_map_lookup_elem(&io_filesystems, &magic);

	return index ? *index : 0;
}

/* A file system gives a deleted file's inode number to the next new one; the generation tells them
 * apart. */
static __always_inline __u64 file_id(struct inode *inode)
{
	return BPF_CORE_READ(inode, i_ino) ^ (__u64)BPF_CORE_READ(inode, i_generation) << 32;
}

/* Who, what and which file, but for the epoch. */
static __always_inline void describe_file(struct file *file, struct inode *inode, __u32 op,
					  struct ps_io_key *ret_key)
{
	__u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;

	ret_key->op = op;
	ret_key->kind = type == S_IFIFO			     ? PS_IO_PIPE
			: type == S_IFSOCK		     ? PS_IO_SOCKET
			: type == S_IFREG || type == S_IFDIR ? PS_IO_FILE
							     : PS_IO_OTHER;
	if (ret_key->kind != PS_IO_FILE)
		return;
	ret_key->device = BPF_CORE_READ(inode, i_sb, s_dev);
	ret_key->file = file_id(inode);
}

/* The slot for an operation on a file, emptied and taken over if another had it. */
static __always_inline __u32 take_slot(struct thread_state *state, struct file *file, __u32 op)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 index = ((__u64)inode >> 7 ^ op) & (PS_IO_SLOTS - 1);
	struct ps_io_slot *slot = &state->slots[index];
	struct io_slot_tag *tag = &state->tags[index];

	/* Another file's inode may have taken the same memory. */
	if (tag->inode == (__u64)inode && slot->key.op == op &&
	    (slot->key.kind != PS_IO_FILE || slot->key.file == file_id(inode)))
		return index;
	io__flush_slot(state, index, current_epoch());
	tag->inode = (__u64)inode;
	tag->filesystem = filesystem_index(inode);
	describe_file(file, inode, op, &slot->key);
	slot->key.epoch = state->epoch;
	io__settle_slot(tag);
	if (slot->key.kind == PS_IO_FILE) {
		tag->directory = BPF_CORE_READ(file, f_path.dentry, d_parent, d_inode, i_ino);
		tell_file(file, &slot->key, tag->directory);
	}
	return index;
}

/* --- by path */

static __always_inline void count_path(struct task_struct *task, __u32 op, __s32 at, __u64 hash,
				       __s64 result, __u64 ns)
{
	struct ps_io_sum more = {.count = 1, .ns = ns};
	struct ps_io_key key = {.op = op, .kind = PS_IO_PATH};
	__u32 zero = 0;
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &zero);
	struct vfsmount *mount = NULL;
	struct dentry *dentry = NULL;
	__u64 directory = 0;
	struct file *file;

	key.epoch = current_epoch();
	if (!scratch || !key.epoch)
		return;
	if (!hash) {
		count_event(PS_COUNTER_PATH_UNREADABLE);
		key.kind = PS_IO_OTHER;
	} else if (scratch->text[0] != '/') {
		if (at == AT_FDCWD) {
			dentry = BPF_CORE_READ(task, fs, pwd.dentry);
			mount = BPF_CORE_READ(task, fs, pwd.mnt);
		} else {
			file = file_of(task, at);
			if (file) {
				dentry = BPF_CORE_READ(file, f_path.dentry);
				mount = BPF_CORE_READ(file, f_path.mnt);
			}
		}
		if (dentry) {
			directory = BPF_CORE_READ(dentry, d_inode, i_ino);
			hash = ps_mix(hash, BPF_CORE_READ(dentry, d_sb, s_dev));
		}
		hash = ps_mix(hash, directory);
	}
	key.file = hash;
	if (result < 0)
		key.error = -result;
	count_histogram(op, 0, ns, 0);
	if (key.kind == PS_IO_PATH) {
		tell_path(&key, at, directory, dentry, mount);
		/* The map is nearly full: it may be the directory that is charged. */
		if (scratch->text[0] == '/' && io_sums_room <= PS_IO_SUMS_KEPT_DIRECTORIES)
			directory = directory_hash(scratch);
	}
	io__add(&key, &more, directory, 0);
}

/* --- stacks */

static __always_inline void count_stack(const struct ps_count *base, __u32 metric, __u64 weight)
{
	struct ps_count key = *base;

	if (!weight)
		return;
	key.metric = metric;
	counts__add(&key, weight);
}

/* Walks the stacks of operations chosen in proportion to their time, bytes and number. */
static __always_inline void choose_stack(__u32 op, __u64 ns, __u64 bytes)
{
	__u32 random = bpf_get_prandom_u32();
	__u64 of_time = choose(ns, io_period_ns, random), of_ops = choose(1, io_period_ops, random);
	__u64 of_bytes = bytes ? choose(bytes, io_period_bytes, random) : 0;
	struct ps_count key = {.class = op};

	if (!of_time && !of_ops && !of_bytes)
		return;
	key.epoch = current_epoch();
	if (!key.epoch)
		return;
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	key.tid = (__u32)bpf_get_current_pid_tgid();
	key.stack = walker__walk(WALKER_TRACEPOINT, key.epoch, NULL, 0, 0);
	count_stack(&key, PS_METRIC_IO_TIME, of_time);
	count_stack(&key, PS_METRIC_IO_BYTES, of_bytes);
	count_stack(&key, PS_METRIC_IO_OPS, of_ops);
}

/* --- the calls */

static __always_inline void count_file(struct thread_state *state, __u32 index, __u32 op,
				       __s64 result, __u64 ns)
{
	struct ps_io_slot *slot = &state->slots[index & (PS_IO_SLOTS - 1)];
	const struct io_slot_tag *tag = &state->tags[index & (PS_IO_SLOTS - 1)];
	struct ps_io_sum more = {.count = 1, .ns = ns};
	struct ps_io_key key;

	if (result < 0) {
		key = slot->key;
		key.error = -result;
		key.epoch = current_epoch();
		count_histogram(op, tag->filesystem, ns, 0);
		io__add(&key, &more, tag->directory, 0);
		return;
	}
	if (op == PS_IO_READ || op == PS_IO_WRITE)
		slot->sum.bytes += result;
	slot->sum.count++;
	slot->sum.ns += ns;
	count_histogram(op, tag->filesystem, ns, result);
}

__noinline int io_notice(__u32 tgid)
{
	struct thread_state *state = thread__find(compat__current());
	const struct ps_quantum *quantum;
	const struct ps_who *who;

	if (!state)
		return 0;
	state->switches = quantum_switches;
	who = bpf_map_lookup_elem(&epochs, &tgid);
	if (!who || who->epoch == state->epoch)
		return 0;
	io__flush(state, state->epoch);
	state->epoch = who->epoch;
	if (knob_quanta) {
		quantum = bpf_map_lookup_elem(&quanta, &tgid);
		state->in_quantum = quantum && quantum->tid == (__u32)bpf_get_current_pid_tgid();
	}
	return 0;
}

/* A descriptor that is none, or whose file could not be found. */
static __always_inline void count_nameless(__u32 op, __s64 result, __u64 ns)
{
	struct ps_io_sum more = {.count = 1, .ns = ns};
	struct ps_io_key key = {.op = op, .kind = PS_IO_OTHER};

	key.epoch = current_epoch();
	if (result < 0)
		key.error = -result;
	count_histogram(op, 0, ns, 0);
	io__add(&key, &more, 0, 0);
}

__noinline int io__begin(__u32 call, __u64 first)
{
	struct task_struct *task = compat__current();
	struct thread_state *state;
	struct file *file;

	if (compat__is_32_bit(task))
		return 0;
	state = thread__find(task);
	if (!state) {
		/* Only threads that are recorded have one. */
		if (!current_epoch())
			return 0;
		state = thread__make(task);
		if (!state)
			return 0;
	}
	state->call_slot = 0;
	if (PS_IO_CALL_OP(call) == PS_IO_CLOSE) {
		file = file_of(task, first);
		if (file)
			state->call_slot = 1 + take_slot(state, file, PS_IO_CLOSE);
	}
	state->call_ns = bpf_ktime_get_ns();
	return 0;
}

__noinline int io__end(__u32 call, __u64 first, __u64 second, __s64 result)
{
	struct task_struct *task = compat__current();
	struct thread_state *state = thread__find(task);
	__u32 op = PS_IO_CALL_OP(call), how = PS_IO_CALL_HOW(call), index;
	__u64 ns, hash, descriptor = first, bytes = 0;
	struct file *file = NULL;
	__s32 at = AT_FDCWD;

	if (!state || !state->call_ns)
		return 0;
	ns = bpf_ktime_get_ns() - state->call_ns;
	state->call_ns = 0;
	if (state->switches != quantum_switches)
		io_notice(bpf_get_current_pid_tgid() >> 32);
	if (how == PS_IO_BY_PATH_AT || how == PS_IO_BY_RESULT_AT)
		at = first;
	if (how == PS_IO_BY_RESULT || how == PS_IO_BY_RESULT_AT)
		descriptor = result;
	if (how != PS_IO_BY_DESCRIPTOR &&
	    (result < 0 || how == PS_IO_BY_PATH || how == PS_IO_BY_PATH_AT)) {
		hash = io_read_path(at == AT_FDCWD && how != PS_IO_BY_PATH_AT &&
						    how != PS_IO_BY_RESULT_AT
					    ? first
					    : second);
		if (hash != 1) {
			count_path(task, op, at, hash, result, ns);
			choose_stack(op, ns, 0);
			return 0;
		}
	}
	if (op == PS_IO_CLOSE && state->call_slot) {
		count_file(state, state->call_slot - 1, op, result, ns);
		choose_stack(op, ns, 0);
		return 0;
	}
	if (op != PS_IO_CLOSE)
		file = file_of(task, descriptor);
	if (!file) {
		count_nameless(op, result, ns);
		return 0;
	}
	index = take_slot(state, file, op);
	if ((op == PS_IO_READ || op == PS_IO_WRITE) && result > 0)
		bytes = result;
	count_file(state, index, op, result, ns);
	choose_stack(op, ns, bytes);
	return 0;
}
