/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one tracker of processes: who they are (epochs, images, identity), what they map, and the
 * exact CPU time of each, charged to epochs and time slices. It is told what happens (ring-buffer
 * events, snapshots of all tasks) and writes rows of process, image, epoch, thread, usage. */
#ifndef CAPTURE_TRACKER_H
#define CAPTURE_TRACKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "capture/wait_sums.h"
#include "proc/mappings.h"
#include "proc/rules.h"
#include "python.h"
#include "quantum.h"
#include "wire.h"

struct recording_writer;
struct string_pool;
struct code_names;
struct code_space;
struct known_stack;
struct unwind_space;
struct wait_names;
struct process_wait;
struct tracker;
struct process;
struct process_resources;

/* Who, as everything in the recording refers to it. */
struct epoch {
	uint64_t key; /* as BPF knows it */
	int64_t id; /* row */
	int64_t image; /* row */
	int64_t start_ns, end_ns; /* since the recording's start; ROW_NULL: goes on */
	struct process *process;
	int64_t quantum; /* its number among the process's, from 1; 0: it is the process's own time
			  */
	bool is_named; /* that quantum's label was read */
	bool whole; /* it was seen from its beginning */
	struct identity identity; /* texts live as long as the rules */
	struct epoch *next; /* the process's earlier one */
	UT_hash_handle hh;
};

/* cpu_ns is the sum of both. */
struct cpu_split {
	uint64_t cpu_ns, user_ns, system_ns;
};

/* The quantum of a thread's own, while it goes on. */
struct thread_quantum {
	struct epoch *epoch;
	struct cpu_split charged; /* of the thread */
	struct wait_sums waits; /* not yet in rows */
};

struct thread {
	uint32_t tid;
	int64_t id; /* row */
	uint64_t charged_ns;
	int64_t ended_slice; /* -1: runs */
	struct wait_sums waits; /* charged to the process's epochs already */
	struct wait_sums told; /* … and in rows of table thread_wait */
	/* The wait that was walked from outside, because it goes on and on. */
	struct {
		uint64_t out_ns; /* when it began, as BPF has it; 0: none */
		int64_t stack; /* row or ROW_NULL */
		uint32_t ending; /* enum ps_ending */
	} sleep;
	uint64_t snapshot; /* the number of the last one that it was in */
	char name[PS_COMM_SIZE];
	struct thread_quantum *own; /* NULL: what it does is its process's epoch's */
	struct process_resources *resources; /* resources.c's, of quanta of its own; NULL: none */
	UT_hash_handle hh;
};

struct process {
	struct process_identity {
		uint64_t start_boot_ns;
		uint64_t tgid;
	} key;
	int64_t id; /* row */
	int64_t parent; /* row or ROW_NULL */
	int64_t start_ns, end_ns;
	int64_t exit_code, exit_signal; /* or ROW_NULL */
	int64_t max_rss_bytes; /* or ROW_NULL */
	char comm[PS_COMM_SIZE];
	bool kernel_thread;
	bool has_baseline; /* what it used before the recording is known */
	bool gone; /* its final figures are charged */
	int64_t gone_slice;
	bool dirty; /* its row has changed since it was written */

	/* Cumulative figures of the kernel that are charged already, and what of them belongs to
	 * this recording. */
	struct cpu_split charged;
	uint64_t cpu_ns, user_ns, system_ns;
	uint64_t ended_cpu_ns; /* of threads that have ended, as far as it is known */
	struct {
		uint64_t cpu_ns, user_ns, system_ns;
		uint64_t number; /* of the snapshot these sums belong to */
		uint64_t time_ns; /* CLOCK_MONOTONIC, of the last task */
		const struct epoch *epoch; /* the process's, then */
		bool late; /* not to be charged: its epoch is another one by now */
	} snapshot;

	struct wait_sums waits; /* of all threads, not yet in rows … */
	struct process_wait *wait_details; /* … and those known more closely; wait_rows.c's */
	struct wait_names *wait_names; /* the tracker's */

	struct epoch *epoch; /* now; ->next: earlier ones */
	struct identity own; /* outside of quanta */
	int64_t image_start_ns; /* when its program began */
	int64_t quantum_count;
	bool next_is_cut; /* its next quantum has begun before */
	size_t own_count; /* of threads in a quantum of their own */
	struct code_space *code_space; /* quanta.c's; NULL: none */
	struct process_resources *resources; /* resources.c's; NULL: none */
	struct thread *threads;
	char *cgroup;
	uint64_t cgroup_id;

	/* What names.c keeps with the process. */
	struct mapping_set *mappings;
	uint64_t mappings_since_ns; /* mappings made before are another program's */
	uint64_t mappings_read_ns; /* when /proc/PID/maps was last read */
	bool mappings_changed; /* BPF is to be told */
	struct process *next_changed;
	struct unwind_space *space; /* NULL: BPF knows of no mappings */
	const char *python; /* version, static or interned; NULL: none */
	struct ps_py_process python_process;
	const void *python_binary;
	struct code_names *codes;

	struct known_stack *stacks; /* stacks.c's */

	UT_hash_handle hh; /* by key */
	UT_hash_handle by_tgid; /* the one that has the pid now */
};

struct tracker_clock {
	uint64_t mono_ns, boot_ns; /* at the recording's start */
};

/* Called before a process is freed, so that what others keep with it can be freed. */
typedef void tracker_free_hook(void *context, struct process *process);

/* rules and writer are borrowed and must outlive the tracker. */
int tracker__new(struct recording_writer *writer, struct rules *rules, struct tracker_clock clock,
		 tracker_free_hook *free_hook, void *context, struct tracker **ret_tracker);
void tracker__free(struct tracker *tracker);

/* What waits and remotes are called; borrowed. */
struct wait_names *tracker__wait_names(struct tracker *tracker);

/* Nanoseconds since the recording's start. */
int64_t tracker__time(const struct tracker *tracker, uint64_t mono_ns);

/* Rows written from now on belong to this slice; forgets what ended two slices ago. */
void tracker__set_slice(struct tracker *tracker, int64_t slice);

/* Borrowed until the next event. NULL: not known. */
struct process *tracker__find(struct tracker *tracker, uint32_t tgid);
/* The same, but also one that is gone, as long as it is kept. */
struct process *tracker__last_owner(struct tracker *tracker, uint32_t tgid);
struct epoch *tracker__epoch(struct tracker *tracker, uint64_t key);
struct thread *tracker__thread(struct tracker *tracker, struct process *process, uint32_t tid,
			       const char *name /* NULL: not known */);
struct process *tracker__first(struct tracker *tracker); /* then process->hh.next */

/* A process that already runs, or was first seen by a sample: all else is read from /proc. */
int tracker__add_running(struct tracker *tracker, const struct ps_task_event *task, uint64_t epoch,
			 struct process **ret_process);

int tracker__on_fork(struct tracker *tracker, const struct ps_fork_event *event);
/* *ret_process: whose program is another one now */
int tracker__on_exec(struct tracker *tracker, const struct ps_exec_event *event,
		     struct process **ret_process);
/* A new epoch of a process: a quantum (identity: its task's), or (NULL) its own time. Returns
 * *ret_epoch NULL when the process is not known. */
int tracker__on_quantum(struct tracker *tracker, const struct ps_quantum_event *event,
			const struct identity *identity, struct epoch **ret_epoch);
/* What an epoch is, known after it had begun. */
int tracker__name_epoch(struct tracker *tracker, struct epoch *epoch,
			const struct identity *identity);
/* The same of a quantum that is its thread's own; told: as BPF has told it (rank PS_NO_QUANTUM: it
 * ends). *ret_epoch: the new one; NULL: none. */
int tracker__on_thread_quantum(struct tracker *tracker, const struct ps_quantum_event *told,
			       const struct identity *identity, struct epoch **ret_epoch);
int tracker__on_exit(struct tracker *tracker, const struct ps_exit_event *event);
int tracker__on_gone(struct tracker *tracker, const struct ps_gone_event *event);

/* One pass of the task iterator: begin, every task, end. The first that meets a process which ran
 * before the recording sets its baseline; the next ones charge what was used since. */
void tracker__snapshot_begin(struct tracker *tracker, bool final);
int tracker__snapshot_task(struct tracker *tracker, const struct ps_task_event *task);
int tracker__snapshot_end(struct tracker *tracker);

/* Writes the rows of processes whose figures have changed; `final` also reads peak RSS of those
 * that go on and closes nothing: they still ran. */
int tracker__write_processes(struct tracker *tracker, bool final);

/* Writes what each thread has waited so far and was not told yet, where there are several; for live
 * recordings, of which one wants to know each slice which threads idle. */
int tracker__tell_waits(struct tracker *tracker);

/* Whom the thread's figures belong to now; NULL: to nobody. */
const struct epoch *tracker__epoch_of(const struct process *process, const struct thread *thread);

/* Processes and threads known now. */
unsigned int tracker__process_count(const struct tracker *tracker);

#endif
