// SPDX-License-Identifier: GPL-2.0-or-later
/* Which files a process leaves torn when it is killed: those that it has opened for writing itself,
 * has written to, and has neither closed nor renamed.
 *
 * An entry is made when a file is opened and goes when its last descriptor is closed. Writes find
 * their way here late, when a thread's slot is moved into the map of sums: so they cost nothing
 * more here. At the end all threads have moved their slots, and the table of descriptors tells what
 * really is open still. */
#include "counts.bpf.h"
#include "writers.bpf.h"
#include "files.bpf.h"

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

__noinline int writers_opened(__u64 address)
{
	struct file *file = (void *)address;
	struct ps_writer_key key = {};
	struct ps_writer fresh = {};

	if (!file_is_written(file) || !writer_key(file, &key) || is_made_up(file))
		return 0;
	if (!find(&key)) {
		fresh.opened_ns = bpf_ktime_get_ns();
		fresh.opens = 1;
		fresh.name = file_name_check(file, file_directory(file));
	}
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
	if (!known || !file_is_last(file))
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

/* Looks at one descriptor of the ending process. 1: there are no more. */
__noinline int writers_end_step(__u32 descriptor, __u32 status)
{
	struct task_struct *task = compat__current();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct ps_writer_key key = {}, all_key = {};
	struct file *file = NULL, **files;
	struct ps_writer *writer, *all;
	struct inode___sizes *inode;

	if (descriptor >= BPF_CORE_READ(table, max_fds))
		return 1;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), &files[descriptor]);
	if (!file || !file_is_written(file) || !writer_key(file, &key))
		return 0;
	writer = find(&key);
	all_key.tgid = key.tgid;
	all = find(&all_key);
	if (!writer || !all)
		return 0;
	inode = (void *)BPF_CORE_READ(file, f_inode);
	if (status && writer->bytes && writer->opened_ns > all->opened_ns &&
	    writer->name == file_name_check(file, file_directory(file)) &&
	    BPF_CORE_READ(inode, i_nlink))
		tell_torn(file, &key, writer, status);
	bpf_map_delete_elem(&writers, &key);
	return 0;
}

__noinline int writers_end(__u32 status)
{
	struct ps_writer_key key = {.tgid = current_tgid()};

	if (!find(&key))
		return 0;
	for (__u32 i = 0; i < PS_TORN_DESCRIPTORS; i++)
		if (writers_end_step(i, status))
			break;
	bpf_map_delete_elem(&writers, &key);
	return 0;
}
