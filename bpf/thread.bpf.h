/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What BPF knows of each thread: its waits, and the system call it is in. In task storage where
 * the kernel has it (5.11), else in a hash by thread id. */
#ifndef THREAD_BPF_H
#define THREAD_BPF_H

#include "counts.bpf.h"
#include "pattern.h"

#define PF_EXITING	     0x00000004
#define PF_KTHREAD	     0x00200000
#define THREAD_KERNEL_FRAMES 24

/* How a thread reads a file; see patterns.bpf.h. */
#define IO_PATTERNS                                                                                \
	4 /* files that a thread reads in turn without losing their order; a power of 2 */

struct io_pattern {
	__u64 inode; /* its address; 0: none */
	struct ps_pattern_key key;
	struct ps_pattern sum; /* not yet in the map */
	__u64 next; /* behind the last read */
	__u64 last, stride; /* where it began, and how far from the one before */
	__u64 last_ns, moved_ns;
	__u32 known; /* 1: there was one */
	__u32 pad;
};

struct thread_state {
	struct ps_waits waits;
	__u64 waker; /* who ended the wait, as in struct ps_count */
	__u64 out_cpu_ns; /* CPU time when it left the CPU */
	/* A wait whose end the kernel did not tell: when it began, 0: none; when it was woken. */
	__u64 unseen_since_ns, unseen_wake_ns;
	/* A wait that was chosen for the stacks, and where it was: */
	__u64 kept_ns; /* the weight it stands for; 0: none */
	__u64 kept_since_ns; /* when it began */
	__u64 kept_waker;
	__u64 kept_stack; /* != 0: its stack, walked when it left the CPU */
	__u64 kept_detail;
	__u32 kept_class;
	__u32 kernel_frames;
	__u64 kernel[THREAD_KERNEL_FRAMES];
	/* Of a wait for a lock that was chosen for the stack of who let it go: */
	__u64 held_ns; /* the weight it stands for; 0: none */
	__u64 held_epoch, held_stack, held_waker;
	__u64 timed_ns; /* waits for a lock that just before ran out of time, by turns */
	/* The file operation that goes on, and sums not yet in the map. */
	__u64 epoch; /* to which its sums since belong, as far as it has noticed */
	__u64 switches; /* quantum_switches, when it looked */
	__u64 looked_ns; /* when its Python frames were last looked at, in vain or as it left the
			    CPU */
	__u64 shown_ns; /* when the recorder was last shown its code */
	__u32 in_quantum; /* 1: it has begun the quantum that its process is in */
	__u32 reclaims; /* not 0: it frees memory for what it asked for */
	__u64 call_ns; /* when it began; 0: none */
	__u64 ended_ns; /* the call that has ended: when */
	__u64 opened_ns; /* close: when what it closes for good was opened; 0: it does not, or not
			    known */
	__u32 call_slot; /* close: 1 + the slot of what it closes; afterwards nobody can tell */
	__u32 pad;
	/* The waits in it for its file, and for the disk below. */
	struct ps_call_waits {
		__u64 ns, count;
	} call_waits[2];
	__u64 fault_mapping, fault_number; /* of its last fault on a mapped file */
	__u64 path_hash; /* of the call that has ended: its path, as in struct ps_io_key */
	struct ps_io_slot slots[PS_IO_SLOTS];
	struct io_slot_tag {
		__u64 inode; /* its address */
		__u64 directory; /* inode number of the directory it is in */
		__u32 filesystem; /* index of its histogram */
		__u32 seen; /* not 0: by the recorder, which has charged it to the file */
		__u64 last_ns; /* writes: when the last one ended */
		__u64 turn; /* odd while the slot changes hands; the recorder drops such a copy */
	} tags[PS_IO_SLOTS];
	struct io_pattern patterns[IO_PATTERNS];
};

struct threads_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_state);
};
extern struct threads_map threads SEC(".maps");

struct threads_by_tid_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct thread_state);
};
extern struct threads_by_tid_map threads_by_tid SEC(".maps");

/* All zeros: what a new entry of the hash begins with. */
struct thread_zero_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct thread_state);
};
extern struct thread_zero_map thread_zero SEC(".maps");

extern const volatile bool knob_task_storage;

static __always_inline struct thread_state *thread__find(struct task_struct *task)
{
	__u32 tid;

	if (knob_task_storage)
		return bpf_task_storage_get(&threads, task, 0, 0);
	tid = BPF_CORE_READ(task, pid);
	return bpf_map_lookup_elem(&threads_by_tid, &tid);
}

/* Made when it is not there yet; NULL: no memory, and counted. */
static __always_inline struct thread_state *thread__make(struct task_struct *task)
{
	struct thread_state *state;
	__u32 tid, zero = 0;

	if (knob_task_storage) {
		state = bpf_task_storage_get(&threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		tid = BPF_CORE_READ(task, pid);
		state = bpf_map_lookup_elem(&threads_by_tid, &tid);
		if (!state) {
			void *nothing = bpf_map_lookup_elem(&thread_zero, &zero);

			if (nothing)
				bpf_map_update_elem(&threads_by_tid, &tid, nothing, BPF_NOEXIST);
			state = bpf_map_lookup_elem(&threads_by_tid, &tid);
		}
	}
	if (!state)
		count_event(PS_COUNTER_THREAD_STATE);
	return state;
}

/* The state of a user thread that is to be recorded, made when it is not there yet: only such
 * threads ever have one. */
static __always_inline struct thread_state *thread__known(struct task_struct *task)
{
	struct thread_state *state;
	const struct ps_who *who;
	__u32 tgid;

	if (!task->pid || task->flags & PF_KTHREAD)
		return NULL;
	state = thread__find(task);
	if (state)
		return state;
	/* Forgotten already, or a zombie: nothing would forget it again, and nobody waits. */
	if (task->flags & PF_EXITING)
		return NULL;
	if (knob_only_wanted) {
		tgid = task->tgid;
		who = bpf_map_lookup_elem(&epochs, &tgid);
		if (!who || !who->wanted)
			return NULL;
	}
	return thread__make(task);
}

/* Task storage goes with its task; an entry of the hash must not meet the tid's next owner. */
static __always_inline void thread__forget(__u32 tid)
{
	if (!knob_task_storage)
		bpf_map_delete_elem(&threads_by_tid, &tid);
}

/* By exec a thread takes over its leader's id. */
static __always_inline void thread__move(__u32 from, __u32 to)
{
	void *state;

	if (knob_task_storage || from == to)
		return;
	state = bpf_map_lookup_elem(&threads_by_tid, &from);
	if (!state)
		return;
	bpf_map_update_elem(&threads_by_tid, &to, state, BPF_ANY);
	bpf_map_delete_elem(&threads_by_tid, &from);
}

#endif
