// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "io". A call's time and bytes go into a slot of its thread, found by the file's inode and
 * the operation; a slot that another file needs is moved into a map, which the recorder takes each
 * slice together with the slots. So the hot path, many calls on few files, writes no shared memory.
 *
 * What a descriptor is, the kernel itself is asked each time (descriptor -> file -> inode): no
 * table of ours could know of every dup, close and reuse.
 *
 * Calls without a descriptor (stat, unlink, failed opens) are known by a hash of their path and of
 * the directory it is relative to. Failed calls always go to the map, under their errno. Sockets
 * are known by what they are connected to. */
#include "compat.bpf.h"
#include "counts.bpf.h"
#include "files.bpf.h"
#include "io.bpf.h"
#include "io_names.bpf.h"
#include "io_paths.bpf.h"
#include "io_slots.bpf.h"
#include "opens.bpf.h"
#include "remote.bpf.h"
#include "walker.bpf.h"
#include "writers.bpf.h"

#define EFAULT 14

/* A file was opened: it may have another name than at first sight, and what is written from now on
 * is counted apart from what was before. */
__noinline int io__opened(__u64 descriptor)
{
	struct task_struct *task = compat__current();
	struct thread_state *state = thread__find(task);
	struct file *file = file_of(task, descriptor);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 index = slot_of(inode, PS_IO_WRITE);
	struct ps_io_key key = {};

	if (!state || !file)
		return 0;
	describe_file(file, inode, PS_IO_OPEN, 0, &key);
	if (key.kind != PS_IO_FILE)
		return 0;
	key.epoch = state->epoch;
	tell_file(file, &key, file_directory(file));
	opens__add((__u64)file, (__u64)inode, state->ended_ns);
	if (!file_is_written(file))
		return 0;
	if (state->tags[index].inode == (__u64)inode && state->slots[index].key.op == PS_IO_WRITE) {
		io__flush_slot(state, index, epochs__current());
		io__settle_slot(&state->tags[index]);
	}
	writers_opened((__u64)file);
	return 0;
}

/* --- by path */

/* A rename has succeeded: sends the new path, under the key of the old one. */
__noinline int io_renamed(__u64 old, __s32 at, __u64 address)
{
	struct ps_io_key key = {.file = old, .op = PS_IO_RENAME, .kind = PS_IO_PATH};
	struct task_struct *task = compat__current();
	struct vfsmount *mount = NULL;
	struct dentry *dentry = NULL;
	__u32 zero = 0;
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &zero);

	if (!scratch || io_read_path(address) <= 1)
		return 0;
	key.epoch = epochs__current();
	find_base(task, at, scratch->text[0] == '/', &dentry, &mount);
	send_path(&key, at, 0, dentry, mount, PS_EVENT_RENAMED);
	return 0;
}

static __always_inline __u64 count_path(struct thread_state *state, struct task_struct *task,
					__u32 op, __s32 at, __u64 hash, __s64 result, __u64 ns)
{
	struct ps_io_sum more = {.count = 1, .ns = ns};
	struct ps_io_key key = {.op = op, .kind = PS_IO_PATH};
	__u32 zero = 0;
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &zero);
	struct vfsmount *mount = NULL;
	struct dentry *dentry = NULL;
	__u64 directory = 0;

	key.epoch = epochs__current();
	if (!scratch || !key.epoch)
		return 0;
	if (!hash) {
		count_event(PS_COUNTER_PATH_UNREADABLE);
		key.kind = PS_IO_OTHER;
	} else {
		find_base(task, at, scratch->text[0] == '/', &dentry, &mount);
		/* Many file systems have a directory of that inode number. */
		if (dentry)
			directory = ps_mix(BPF_CORE_READ(dentry, d_sb, s_dev),
					   BPF_CORE_READ(dentry, d_inode, i_ino));
		hash = ps_mix(hash, directory);
	}
	key.file = hash;
	key.error = ps_io_error(result);
	count_histogram(op, 0, ns, 0);
	if (key.kind == PS_IO_PATH) {
		tell_path(&key, at, directory, dentry, mount);
		/* The map is nearly full: it may be the directory that is charged. */
		if (scratch->text[0] == '/' && io_sums_room <= PS_IO_SUMS_KEPT_DIRECTORIES)
			directory = ps_mix(directory_hash(scratch), directory);
	}
	hash = key.file;
	add_waits(state, &key, directory);
	io__add(&key, &more, directory, 0);
	return hash;
}

/* --- stacks */

/* Walks the stacks of operations chosen in proportion to their time, bytes and number. class:
 * PS_IO_CLASS(); device and file: as in struct ps_io_key. */
static __always_inline void choose_stack(__u32 class, __u32 device, __u64 file, __u64 ns,
					 __u64 bytes)
{
	__u32 random = bpf_get_prandom_u32();
	__u64 of_time = choose(ns, io_period_ns, random), of_ops = choose(1, io_period_ops, random);
	__u64 of_bytes = bytes ? choose(bytes, io_period_bytes, random) : 0;
	struct ps_count key = {.class = class, .device = device, .detail = file};

	if (!of_time && !of_ops && !of_bytes)
		return;
	key.epoch = epochs__current();
	if (!key.epoch)
		return;
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	key.tid = (__u32)bpf_get_current_pid_tgid();
	key.stack = walker__walk(WALKER_TRACEPOINT, key.epoch, NULL, 0, 0);
	counts__add_chosen(&key, PS_METRIC_IO_TIME, of_time);
	counts__add_chosen(&key, PS_METRIC_IO_BYTES, of_bytes);
	counts__add_chosen(&key, PS_METRIC_IO_OPS, of_ops);
}

/* The same of an operation on the file that a slot is about. */
static __always_inline void choose_stack_of_slot(const struct thread_state *state, __u32 index,
						 __u32 op, __u64 ns, __u64 bytes)
{
	const struct ps_io_key *key = &state->slots[index & (PS_IO_SLOTS - 1)].key;

	choose_stack(PS_IO_CLASS(op, key->kind), key->device, key->file, ns, bytes);
}

/* --- the calls */

static __always_inline void count_file(struct thread_state *state, __u32 index, __u32 op,
				       __s64 result, __u64 bytes, __u64 ns, __u64 end_ns)
{
	struct ps_io_slot *slot = &state->slots[index & (PS_IO_SLOTS - 1)];
	struct io_slot_tag *tag = &state->tags[index & (PS_IO_SLOTS - 1)];
	struct ps_io_sum more = {.count = 1, .ns = ns};
	struct ps_io_key key;

	add_waits(state, &slot->key, tag->directory);
	if (result < 0) {
		key = slot->key;
		key.error = ps_io_error(result);
		key.epoch = epochs__current();
		count_histogram(op, tag->filesystem, ns, 0);
		io__add(&key, &more, tag->directory, 0);
		return;
	}
	slot->sum.bytes += bytes;
	slot->sum.count++;
	slot->sum.ns += ns;
	if (ps_io_writes(op))
		tag->last_ns = end_ns;
	count_histogram(op, tag->filesystem, ns, bytes);
}

__noinline int io_notice(__u32 tgid)
{
	struct thread_state *state = thread__find(compat__current());
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	const struct ps_quantum *quantum;
	const struct ps_who *who;
	__u64 epoch;

	/* A close() counts where its slot was found; this is looked at when it has ended. */
	if (!state || state->call_slot)
		return 0;
	state->switches = quantum_switches;
	who = bpf_map_lookup_elem(&epochs, &tgid);
	if (!who)
		return 0;
	epoch = epochs__of_thread(who, tid);
	if (epoch == state->epoch)
		return 0;
	io__flush(state, state->epoch ? state->epoch : who->epoch);
	state->epoch = epoch;
	if (knob_quanta) {
		quantum = bpf_map_lookup_elem(&quanta, &tgid);
		state->in_quantum = epoch != who->epoch || (quantum && quantum->tid == tid);
	}
	return 0;
}

/* A descriptor that is none, or whose file could not be found. */
static __always_inline void count_nameless(__u32 op, __s64 result, __u64 ns)
{
	struct ps_io_sum more = {.count = 1, .ns = ns};
	struct ps_io_key key = {.op = op, .kind = PS_IO_OTHER};

	key.epoch = epochs__current();
	key.error = ps_io_error(result);
	count_histogram(op, 0, ns, 0);
	io__add(&key, &more, 0, 0);
}

/* One more operation on a descriptor, beside the one that the call is known by. remote: of a
 * socket, when it is known. */
__noinline int io__end_other(__u64 descriptor, __u32 op, __s64 result, __u64 remote)
{
	struct task_struct *task = compat__current();
	struct thread_state *state = thread__find(task);
	struct file *file = file_of(task, descriptor);
	__u64 bytes = result > 0 ? result : 0;
	__u32 index;

	if (!state)
		return 0;
	if (!file) {
		count_nameless(op, result, 0);
		return 0;
	}
	index = take_slot(state, file, op, remote);
	count_file(state, index, op, result, bytes, 0, bpf_ktime_get_ns());
	choose_stack_of_slot(state, index, op, 0, bytes);
	return 0;
}

__noinline int io__count_file(__u64 address, __u32 op, __s64 result, __u64 ns)
{
	struct file *file = (void *)address;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct ps_io_sum more = {.count = 1, .ns = ns};
	struct ps_io_key key = {.epoch = epochs__current()};
	__u64 directory = 0;

	if (!key.epoch)
		return 0;
	if (!file) {
		count_nameless(op, result, ns);
		return 0;
	}
	describe_file(file, inode, op, 0, &key);
	key.error = ps_io_error(result);
	if (result > 0 && ps_io_moves_bytes(op))
		more.bytes = result;
	if (key.kind == PS_IO_FILE) {
		directory = file_directory(file);
		tell_file(file, &key, directory);
		if (op == PS_IO_OPEN)
			opens__add(address, (__u64)inode, bpf_ktime_get_ns());
		if (ps_io_writes(op) && more.bytes) {
			writers_wrote(key.file, key.device);
			writers_add(key.file, key.device, key.epoch, more.bytes,
				    bpf_ktime_get_ns());
		}
	}
	count_histogram(op, filesystem_index(inode), ns, more.bytes);
	io__add(&key, &more, directory, 0);
	return 0;
}

__noinline int io__count_fault(__u64 address, __u32 op)
{
	struct inode *inode = (void *)address;
	struct ps_io_sum more = {.count = 1};
	struct ps_io_key key = {.epoch = epochs__current(), .op = op, .kind = PS_IO_FILE};

	if (!key.epoch)
		return 0;
	key.device = BPF_CORE_READ(inode, i_sb, s_dev);
	key.file = file_id(inode);
	io__add(&key, &more, 0, 0);
	return 0;
}

__noinline int io__begin(__u32 call, __u64 first)
{
	struct task_struct *task = compat__current();
	struct thread_state *state;
	struct file *file;
	__u32 index;

	if (compat__is_32_bit(task))
		return 0;
	state = thread__find(task);
	if (!state) {
		/* Only threads that are recorded have one. */
		if (!epochs__current())
			return 0;
		state = thread__make(task);
		if (!state)
			return 0;
	}
	state->call_slot = 0;
	if (PS_IO_CALL_OP(call) == PS_IO_CLOSE) {
		if (state->switches != quantum_switches)
			io_notice(bpf_get_current_pid_tgid() >> 32);
		file = file_of(task, first);
		if (file) {
			index = take_slot(state, file, PS_IO_CLOSE, 0);
			state->call_slot = 1 + index;
			state->opened_ns = 0;
			writers_closing((__u64)file);
			if (state->slots[index & (PS_IO_SLOTS - 1)].key.kind == PS_IO_FILE)
				state->opened_ns = opens__close(
					file, state->tags[index & (PS_IO_SLOTS - 1)].inode);
		}
	}
	__builtin_memset(state->call_waits, 0, sizeof(state->call_waits));
	state->call_ns = bpf_ktime_get_ns();
	return 0;
}

/* --- calls that end */

/* position: of the call, or PS_IO_AT_FILE: where the file stands, behind what was read. */
static __always_inline void note_read(struct thread_state *state, __u32 index, struct file *file,
				      __u64 position, __u64 bytes, __u64 now)
{
	const struct ps_io_slot *slot = &state->slots[index & (PS_IO_SLOTS - 1)];
	__u64 inode = state->tags[index & (PS_IO_SLOTS - 1)].inode;
	struct ps_pattern_key key = {
		.epoch = state->epoch, .file = slot->key.file, .device = slot->key.device};

	if (slot->key.kind != PS_IO_FILE)
		return;
	if (position == PS_IO_AT_FILE)
		position = BPF_CORE_READ((struct file___modes *)file, f_pos) - bytes;
	pattern__note(pattern__of(state, file, inode, &key), position, bytes, now);
}

/* A file was closed for good that was open for ns. */
static __always_inline void count_closed(struct thread_state *state, __u32 index, __u64 ns)
{
	struct ps_io_sum *sum = &state->slots[index & (PS_IO_SLOTS - 1)].sum;

	sum->closed++;
	sum->open_ns += ns;
	if (ns > sum->longest_ns)
		sum->longest_ns = ns;
}

__noinline int io__end(__u32 call, __u64 first, __u64 second, __s64 result, __u64 fifth)
{
	struct task_struct *task = compat__current();
	struct thread_state *state = thread__find(task);
	__u32 op = PS_IO_CALL_OP(call), how = PS_IO_CALL_HOW(call), index;
	__u64 ns, end_ns, hash, path, descriptor = first, bytes = 0, remote = 0;
	struct file *file = NULL;
	__s32 at = AT_FDCWD;

	if (!state || !state->call_ns)
		return 0;
	end_ns = bpf_ktime_get_ns();
	ns = end_ns - state->call_ns;
	state->call_ns = 0;
	state->ended_ns = end_ns;
	if (op == PS_IO_CLOSE && state->call_slot) {
		index = state->call_slot - 1;
		state->call_slot = 0;
		count_file(state, index, op, result, 0, ns, end_ns);
		if (state->opened_ns)
			count_closed(state, index, end_ns - ns - state->opened_ns);
		choose_stack_of_slot(state, index, op, ns, 0);
		return 0;
	}
	state->path_hash = 0;
	if (state->switches != quantum_switches)
		io_notice(bpf_get_current_pid_tgid() >> 32);
	if (how == PS_IO_BY_PATH_AT || how == PS_IO_BY_RESULT_AT)
		at = first;
	if (how == PS_IO_BY_RESULT || how == PS_IO_BY_RESULT_AT)
		descriptor = result;
	if (how >= PS_IO_BY_PATH && how <= PS_IO_BY_RESULT_AT &&
	    (result < 0 || how == PS_IO_BY_PATH || how == PS_IO_BY_PATH_AT)) {
		path = how == PS_IO_BY_PATH || how == PS_IO_BY_RESULT ? first : second;
		hash = io_read_path(path);
		/* Without a path it is the descriptor: futimens(). */
		if (!path && result != -EFAULT && how == PS_IO_BY_PATH_AT)
			hash = 1;
		if (hash != 1) {
			state->path_hash = count_path(state, task, op, at, hash, result, ns);
			choose_stack(PS_IO_CLASS(op, state->path_hash ? PS_IO_PATH : PS_IO_OTHER),
				     0, state->path_hash, ns, 0);
			return 0;
		}
	}
	if (op != PS_IO_CLOSE)
		file = file_of(task, descriptor);
	if (!file) {
		count_nameless(op, result, ns);
		return 1;
	}
	if (PS_IO_IS_BY_SOCKET(how))
		remote = io__remote((__u64)file, call, second, fifth, result);
	index = take_slot(state, file, op, remote);
	if (ps_io_moves_bytes(op) && result > 0)
		bytes = how == PS_IO_BY_MESSAGES ? io__message_bytes(second, fifth) : result;
	count_file(state, index, op, result, bytes, ns, end_ns);
	if (op == PS_IO_READ && result > 0)
		note_read(state, index, file, second, result, end_ns);
	choose_stack_of_slot(state, index, op, ns, bytes);
	return 1;
}
