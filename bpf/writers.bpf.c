// SPDX-License-Identifier: GPL-2.0-or-later
/* Which files a process leaves torn when it is killed: those that it has opened for writing itself,
 * has written to, and has neither closed nor renamed.
 *
 * An entry is made when a file is opened and goes when the process closes the last of its own
 * descriptors, whoever else holds the file. Writes find their way here late, when a thread's slot
 * is moved into the map of sums: so they cost nothing more here. When all threads have moved their
 * slots, the table of descriptors tells what really is open still. */
#include "counts.bpf.h"
#include "files.bpf.h"
#include "io.bpf.h"
#include "opens.bpf.h"
#include "writers.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PS_WRITERS); /* set */
	__type(key, struct ps_writer_key);
	__type(value, struct ps_writer);
} writers SEC(".maps");

/* Too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ps_torn_event);
} torn_events SEC(".maps");

#define ENDED_THREADS	  4096
#define MAX_OTHER_THREADS 1024 /* that are looked at when one of them ends */

/* tid -> when it began: threads of processes with entries that have moved their slots and end. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ENDED_THREADS);
	__type(key, __u32);
	__type(value, __u64);
} ended_threads SEC(".maps");

/* A place in the list of a process's threads, and its head. */
struct thread_place {
	__u64 task, list;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct thread_place);
} thread_places SEC(".maps");

struct signal_struct___oom {
	void *oom_mm;
} __attribute__((preserve_access_index));

static __always_inline __u32 current_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

/* false: it is no file whose content lasts. */
static __always_inline bool writer_key(struct file *file, struct ps_writer_key *ret_key)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return false;
	ret_key->file = file_id(inode);
	ret_key->device = BPF_CORE_READ(inode, i_sb, s_dev);
	ret_key->tgid = current_tgid();
	return true;
}

static __always_inline bool is_made_up(struct file *file)
{
	switch (BPF_CORE_READ(file, f_inode, i_sb, s_magic)) {
	case PROC_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_MAGIC:
	case CGROUP2_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
		return true;
	}
	return false;
}

static __always_inline struct ps_writer *find(const struct ps_writer_key *key)
{
	return bpf_map_lookup_elem(&writers, key);
}

/* One open more of what `key` stands for; it begins as `first`. True: this made the entry. */
static __always_inline bool add_open(const struct ps_writer_key *key, const struct ps_writer *first)
{
	struct ps_writer *known = find(key);

	if (!known && !bpf_map_update_elem(&writers, key, first, BPF_NOEXIST))
		return true;
	/* Another thread may have made it meanwhile. */
	known = find(key);
	if (known)
		__sync_fetch_and_add(&known->opens, 1);
	else
		count_event(PS_COUNTER_WRITERS_FULL);
	return false;
}

/* The number of the process's entries. */
static __always_inline void count_one_more(__u32 tgid)
{
	struct ps_writer_key key = {.tgid = tgid};
	struct ps_writer first = {.opens = 1};

	add_open(&key, &first);
}

/* What current's thread has written to the file so far belongs to the opens before. */
static __always_inline void move_writes(struct file *file)
{
	struct thread_state *state = thread__find(compat__current());
	__u64 inode = (__u64)BPF_CORE_READ(file, f_inode);

	for (int i = 0; state && i < PS_IO_SLOTS; i++) {
		if (state->tags[i].inode != inode || !ps_io_writes(state->slots[i].key.op))
			continue;
		io__flush_slot(state, i, state->epoch);
		io__settle_slot(&state->tags[i]);
	}
}

__noinline int writers_opened(__u64 address)
{
	struct file *file = (void *)address;
	struct ps_writer_key key = {}, all_key = {};
	struct ps_writer fresh = {}, *known;
	const struct ps_writer *all;

	if (!file_is_written(file) || !writer_key(file, &key) || is_made_up(file))
		return 0;
	fresh.opened_ns = bpf_ktime_get_ns();
	fresh.opens = 1;
	fresh.name = file_name_check(file, file_directory(file));
	all_key.tgid = key.tgid;
	all = find(&all_key);
	known = find(&key);
	if (known && !all) { /* another process of that id had it */
		bpf_map_delete_elem(&writers, &key);
	} else if (known && known->opened_ns <= all->opened_ns) { /* an exec has closed it unseen */
		*known = fresh;
		return 0;
	}
	if (!known)
		move_writes(file);
	if (add_open(&key, &fresh))
		count_one_more(key.tgid);
	return 0;
}

static __always_inline void begin_event(struct ps_event *event, __u32 type, __u32 size)
{
	__u64 id = bpf_get_current_pid_tgid();

	event->type = type;
	event->size = size;
	event->time_ns = bpf_ktime_get_ns();
	event->tgid = id >> 32;
	event->tid = (__u32)id;
}

static __always_inline void tell_written(const struct ps_writer_key *key, __u64 size)
{
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &key->tgid);
	struct ps_written_event event = {};

	if (!who)
		return;
	begin_event(&event.event, PS_EVENT_WRITTEN, sizeof(event));
	event.key.epoch = who->epoch;
	event.key.file = key->file;
	event.key.device = key->device;
	event.key.op = PS_IO_WRITE;
	event.key.kind = PS_IO_FILE;
	event.size = size;
	if (bpf_ringbuf_output(&events, &event, sizeof(event), BPF_RB_NO_WAKEUP))
		count_event(PS_COUNTER_WRITTEN_FULL);
}

__noinline int writers_closing(__u64 address)
{
	struct file *file = (void *)address;
	struct ps_writer_key key = {}, all_key = {};
	struct ps_writer *known, *all;

	if (!file_is_written(file) || !writer_key(file, &key))
		return 0;
	known = find(&key);
	if (!known || (!file_is_last(file) &&
		       !opens__is_last_own(address, (__u64)BPF_CORE_READ(file, f_inode))))
		return 0;
	if (known->opens > 1) {
		__sync_fetch_and_add(&known->opens, -1);
		return 0;
	}
	if (known->wrote)
		tell_written(&key, file_size(file));
	bpf_map_delete_elem(&writers, &key);
	all_key.tgid = key.tgid;
	all = find(&all_key);
	if (all && all->opens > 1)
		__sync_fetch_and_add(&all->opens, -1);
	else if (all)
		bpf_map_delete_elem(&writers, &all_key);
	return 0;
}

__noinline int writers_wrote(__u64 id, __u32 device)
{
	struct ps_writer_key key = {.file = id, .device = device, .tgid = current_tgid()};
	struct ps_writer *known = find(&key);

	if (known)
		known->wrote = 1;
	return 0;
}

__noinline int writers_add(__u64 id, __u32 device, __u64 epoch, __u64 bytes, __u64 time_ns)
{
	struct ps_writer_key key = {.file = id, .device = device, .tgid = current_tgid()};
	struct ps_writer *known = find(&key);

	if (!known || !bytes)
		return 0;
	__sync_fetch_and_add(&known->bytes, bytes);
	if (time_ns >= known->written_ns) {
		known->written_ns = time_ns;
		known->epoch = epoch;
	}
	return 0;
}

__noinline int writers_exec(__u64 time_ns)
{
	struct ps_writer_key key = {.tgid = current_tgid()};
	struct ps_writer *all = find(&key);

	if (all)
		all->opened_ns = time_ns;
	return 0;
}

static __always_inline void tell_torn(struct file *file, const struct ps_writer_key *key,
				      const struct ps_writer *writer, __u32 status)
{
	struct signal_struct *signal = BPF_CORE_READ(compat__current(), signal);
	__u32 zero = 0;
	struct ps_torn_event *event = bpf_map_lookup_elem(&torn_events, &zero);

	if (!event)
		return;
	__builtin_memset(event, 0, sizeof(*event));
	begin_event(&event->event, PS_EVENT_TORN, sizeof(*event));
	event->key.epoch = writer->epoch;
	event->key.file = key->file;
	event->key.device = key->device;
	event->key.op = PS_IO_WRITE;
	event->key.kind = PS_IO_FILE;
	event->opened_ns = writer->opened_ns;
	event->written_ns = writer->written_ns;
	event->bytes = writer->bytes;
	event->size = file_size(file);
	event->status = status;
	if (BPF_CORE_READ((struct file___modes *)file, f_flags) & O_APPEND)
		event->flags |= PS_TORN_APPENDED;
	if (BPF_CORE_READ((struct signal_struct___oom *)signal, oom_mm))
		event->flags |= PS_TORN_OOM;
	if (bpf_ringbuf_output(&events, event, sizeof(*event), BPF_RB_FORCE_WAKEUP))
		count_event(PS_COUNTER_TORN_FULL);
}

/* Looks at one descriptor of the ending process, whose program began at that time. 1: there are no
 * more. */
__noinline int writers_end_step(__u32 descriptor, __u32 status, __u64 program_ns)
{
	struct task_struct *task = compat__current();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL, **files;
	struct ps_writer_key key = {};
	struct inode___sizes *inode;
	struct ps_writer *writer;

	if (descriptor >= BPF_CORE_READ(table, max_fds))
		return 1;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), &files[descriptor]);
	if (!file || !file_is_written(file) || !writer_key(file, &key))
		return 0;
	writer = find(&key);
	if (!writer)
		return 0;
	inode = (void *)BPF_CORE_READ(file, f_inode);
	if (status && writer->bytes && writer->opened_ns > program_ns &&
	    writer->name == file_name_check(file, file_directory(file)) &&
	    BPF_CORE_READ(inode, i_nlink))
		tell_torn(file, &key, writer, status);
	bpf_map_delete_elem(&writers, &key);
	return 0;
}

/* Looks at one thread. 1: it has not moved its slots yet; 2: there are no more. */
__noinline int writers_other_thread(void)
{
	__u32 zero = 0, tid;
	struct thread_place *place = bpf_map_lookup_elem(&thread_places, &zero);
	struct task_struct *task;
	struct list_head *node;
	const __u64 *ended;

	if (!place || place->task == place->list)
		return 2;
	node = (void *)place->task;
	place->task = (__u64)BPF_CORE_READ(node, next);
	task = (void *)((char *)node - bpf_core_field_offset(struct task_struct, thread_node));
	if (!BPF_CORE_READ(task, files))
		return 0;
	tid = BPF_CORE_READ(task, pid);
	ended = bpf_map_lookup_elem(&ended_threads, &tid);
	return !ended || *ended != BPF_CORE_READ(task, start_boottime);
}

static __always_inline bool others_go_on(struct task_struct *task)
{
	__u32 zero = 0;
	struct thread_place *place = bpf_map_lookup_elem(&thread_places, &zero);
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	int found = 0;

	if (!place)
		return false;
	place->list = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	place->task = (__u64)BPF_CORE_READ(signal, thread_head.next);
	for (int i = 0; i < MAX_OTHER_THREADS && !found; i++)
		found = writers_other_thread();
	return found == 1;
}

__noinline int writers_end(__u32 status, bool all_end)
{
	struct ps_writer_key key = {.tgid = current_tgid()};
	struct task_struct *task = compat__current();
	struct ps_writer *all = find(&key);
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 began, program_ns;

	if (!all)
		return 0;
	began = BPF_CORE_READ(task, start_boottime);
	bpf_map_update_elem(&ended_threads, &tid, &began, BPF_ANY);
	/* Several threads may end at a time, and each find that all do: the one that finds all
	 * slots moved, and takes the entry away, goes on. */
	program_ns = all->opened_ns;
	if (!all_end || others_go_on(task) || bpf_map_delete_elem(&writers, &key))
		return 0;
	for (__u32 i = 0; i < PS_TORN_DESCRIPTORS; i++)
		if (writers_end_step(i, status, program_ns))
			break;
	return 0;
}
