// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/tracker_private.h"
#include "capture/wait_names.h"
#include "capture/wait_rows.h"
#include "proc/facts.h"
#include "store/writer.h"

/* Samples of a slice are read at its end, and threads on their way out still show up in the next
 * snapshot: what has ended is kept for this many slices more. */
#define SLICES_KEPT 2

int tracker__new(struct recording_writer *writer, struct rules *rules, struct tracker_clock clock,
		 tracker_free_hook *free_hook, void *context, struct tracker **ret_tracker)
{
	struct tracker *tracker = calloc(1, sizeof(*tracker));

	if (!tracker)
		return -ENOMEM;
	tracker->writer = writer;
	tracker->rules = rules;
	tracker->clock = clock;
	tracker->free_hook = free_hook;
	tracker->context = context;
	tracker->wait_names = wait_names__new(writer, rules);
	if (!tracker->wait_names) {
		free(tracker);
		return -ENOMEM;
	}
	*ret_tracker = tracker;
	return 0;
}

/* Not those that the last snapshot still saw: a leader whose threads go on, one under ptrace. */
static void free_threads(struct process *process, int64_t ended_before, uint64_t last_snapshot)
{
	struct thread *one, *next;

	HASH_ITER (hh, process->threads, one, next) {
		if (ended_before != INT64_MAX &&
		    (one->tid == process->key.tgid || one->ended_slice < 0 ||
		     one->ended_slice >= ended_before || one->snapshot == last_snapshot))
			continue;
		HASH_DEL(process->threads, one);
		free(one->own);
		free(one->resources);
		free(one);
	}
}

/* Takes the process out of the table by pid, if it is the one that has it. */
static void release_tgid(struct tracker *tracker, struct process *process)
{
	if (tracker__last_owner(tracker, (uint32_t)process->key.tgid) == process)
		HASH_DELETE(by_tgid, tracker->by_tgid, process);
}

static void free_process(struct tracker *tracker, struct process *process)
{
	struct epoch *epoch = process->epoch;

	if (tracker->free_hook)
		tracker->free_hook(tracker->context, process);
	while (epoch) {
		struct epoch *next = epoch->next;

		HASH_DEL(tracker->epochs, epoch);
		free(epoch);
		epoch = next;
	}
	free_threads(process, INT64_MAX, 0);
	release_tgid(tracker, process);
	HASH_DEL(tracker->processes, process);
	mapping_set__unref(process->mappings);
	wait_rows__forget(process);
	free(process->cgroup);
	free(process);
}

void tracker__free(struct tracker *tracker)
{
	struct process *one, *next;

	if (!tracker)
		return;
	HASH_ITER (hh, tracker->processes, one, next)
		free_process(tracker, one);
	wait_names__free(tracker->wait_names);
	free(tracker);
}

int64_t tracker__time(const struct tracker *tracker, uint64_t mono_ns)
{
	return (int64_t)(mono_ns - tracker->clock.mono_ns);
}

struct process *tracker__last_owner(struct tracker *tracker, uint32_t tgid)
{
	uint64_t key = tgid;
	struct process *process;

	HASH_FIND(by_tgid, tracker->by_tgid, &key, sizeof(key), process);
	return process;
}

struct process *tracker__find(struct tracker *tracker, uint32_t tgid)
{
	struct process *process = tracker__last_owner(tracker, tgid);

	return process && !process->gone ? process : NULL;
}

struct process *tracker__find_exact(struct tracker *tracker, uint32_t tgid, uint64_t start_boot_ns)
{
	struct process_identity key = {.start_boot_ns = start_boot_ns, .tgid = tgid};
	struct process *process;

	HASH_FIND(hh, tracker->processes, &key, sizeof(key), process);
	return process;
}

struct epoch *tracker__epoch(struct tracker *tracker, uint64_t key)
{
	struct epoch *epoch;

	HASH_FIND(hh, tracker->epochs, &key, sizeof(key), epoch);
	return epoch;
}

struct process *tracker__first(struct tracker *tracker)
{
	return tracker->processes;
}

unsigned int tracker__process_count(const struct tracker *tracker)
{
	return tracker->living;
}

/* --- births */

static int new_process(struct tracker *tracker, uint32_t tgid, uint64_t start_boot_ns,
		       uint32_t parent_tgid, const char *comm, struct process **ret_process)
{
	struct process *process = calloc(1, sizeof(*process));
	struct process *parent = tracker__find(tracker, parent_tgid);
	struct process *before = tracker__last_owner(tracker, tgid);

	if (!process)
		return -ENOMEM;
	process->key = (struct process_identity){start_boot_ns, tgid};
	process->id = ++tracker->last_process;
	process->wait_names = tracker->wait_names;
	process->parent = parent ? parent->id : ROW_NULL;
	process->start_ns = (int64_t)(start_boot_ns - tracker->clock.boot_ns);
	process->has_baseline = process->start_ns >= 0;
	process->end_ns = process->max_rss_bytes = ROW_NULL;
	process->exit_code = process->exit_signal = ROW_NULL;
	process->dirty = true;
	memcpy(process->comm, comm, PS_COMM_SIZE - 1);
	process->mappings = mapping_set__new();
	if (before)
		release_tgid(tracker, before);
	if (process->mappings)
		HASH_ADD(hh, tracker->processes, key, sizeof(process->key), process);
	if (process->hh.tbl)
		HASH_ADD(by_tgid, tracker->by_tgid, key.tgid, sizeof(process->key.tgid), process);
	if (!process->hh.tbl || !process->by_tgid.tbl) {
		if (process->hh.tbl)
			HASH_DEL(tracker->processes, process);
		mapping_set__unref(process->mappings);
		free(process);
		return -ENOMEM;
	}
	tracker->living += !before || before->gone;
	*ret_process = process;
	return 0;
}

int tracker__new_epoch(struct tracker *tracker, struct process *process, uint64_t key,
		       int64_t start_ns, int64_t image, const struct identity *identity,
		       struct epoch **ret_epoch)
{
	struct epoch *epoch = calloc(1, sizeof(*epoch));

	if (!epoch)
		return -ENOMEM;
	*epoch = (struct epoch){
		.key = key,
		.id = ++tracker->last_epoch,
		.image = image,
		.start_ns = start_ns,
		.end_ns = ROW_NULL,
		.process = process,
		.identity = *identity,
	};
	HASH_ADD(hh, tracker->epochs, key, sizeof(epoch->key), epoch);
	if (!epoch->hh.tbl) {
		free(epoch);
		return -ENOMEM;
	}
	*ret_epoch = epoch;
	return 0;
}

int tracker__begin_epoch(struct tracker *tracker, struct process *process, uint64_t key,
			 int64_t start_ns, int64_t image, const struct identity *identity)
{
	struct epoch *epoch;
	int err = tracker__new_epoch(tracker, process, key, start_ns, image, identity, &epoch);

	if (err)
		return err;
	if (process->epoch) {
		process->epoch->end_ns = start_ns;
		err = tracker_rows__epoch(tracker, process->epoch);
		if (err)
			return err;
	}
	epoch->next = process->epoch;
	process->epoch = epoch;
	return tracker_rows__epoch(tracker, epoch);
}

static int new_image(struct tracker *tracker, const struct process *process, int64_t start_ns,
		     const char *arguments, size_t arguments_size, int64_t *ret_image)
{
	struct image_row row = {
		.id = ++tracker->last_image,
		.process = process->id,
		.start_ns = start_ns,
		.comm = process->comm,
		.arguments = arguments,
		.arguments_size = arguments_size,
		.cgroup = process->cgroup,
	};

	*ret_image = row.id;
	return recording_writer__image(tracker->writer, &row);
}

/* Splits NAME=value strings (written over: '=' becomes NUL) and writes a row for each. */
static int take_environment(struct tracker *tracker, int64_t image, char *text, size_t size,
			    struct environment_variable *variables, size_t capacity,
			    size_t *ret_count)
{
	size_t count = 0;

	for (size_t at = 0; at < size && count < capacity;) {
		size_t length = strnlen(text + at, size - at);
		char *equals = memchr(text + at, '=', length);
		int err;

		if (at + length == size) /* not ended: cut off */
			break;
		if (equals) {
			*equals = '\0';
			variables[count].name = text + at;
			variables[count].value = equals + 1;
			err = recording_writer__environment(tracker->writer, image,
							    variables[count].name,
							    variables[count].value);
			if (err)
				return err;
			count++;
		}
		at += length + 1;
	}
	*ret_count = count;
	return 0;
}

#define MAX_VARIABLES 64 /* rules name no more */

/* A new program in a process: its image, environment, identity and epoch. */
static int start_image(struct tracker *tracker, struct process *process,
		       const struct process *parent, uint64_t epoch, int64_t start_ns,
		       const char *arguments, size_t arguments_size, char *environment,
		       size_t environment_size)
{
	struct environment_variable variables[MAX_VARIABLES];
	struct process_facts facts = {
		.comm = process->comm,
		.arguments = arguments,
		.arguments_size = arguments_size,
		.cgroup = process->cgroup,
		.environment = variables,
	};
	struct identity identity;
	int64_t image;
	int err;

	err = new_image(tracker, process, start_ns, arguments, arguments_size, &image);
	if (!err)
		err = take_environment(tracker, image, environment, environment_size, variables,
				       MAX_VARIABLES, &facts.environment_count);
	if (err)
		return err;
	/* An exec keeps the process's own earlier identity as what it came from. */
	if (process->epoch)
		facts.parent = &process->epoch->identity;
	else if (parent && parent->epoch)
		facts.parent = &parent->epoch->identity;
	err = rules__identify(tracker->rules, &facts, &identity);
	if (err)
		return err;
	process->own = identity;
	process->image_start_ns = start_ns;
	process->quantum_count = 0;
	return tracker__begin_epoch(tracker, process, epoch, start_ns, image, &identity);
}

int tracker__add_running(struct tracker *tracker, const struct ps_task_event *task, uint64_t epoch,
			 struct process **ret_process)
{
	_cleanup_free_ char *arguments = NULL, *environment = NULL;
	size_t arguments_size = 0, environment_size = 0, name_count;
	const char *const *names = rules__environment_names(tracker->rules, &name_count);
	pid_t pid = (pid_t)task->event.tgid;
	struct process *process;
	int err;

	err = new_process(tracker, task->event.tgid, task->start_boot_ns, task->parent_tgid,
			  task->comm, &process);
	if (err)
		return err;
	process->kernel_thread = task->kernel_thread;
	/* A process that ends meanwhile keeps what was read; its command name is always there. */
	if (!process->kernel_thread) {
		facts__arguments(pid, PS_MAX_ARGS, &arguments, &arguments_size);
		facts__environment(pid, names, name_count, &environment, &environment_size);
		facts__cgroup(pid, &process->cgroup);
	}
	err = start_image(tracker, process, tracker__find(tracker, task->parent_tgid), epoch,
			  process->start_ns, arguments ? arguments : "", arguments_size,
			  environment, environment_size);
	if (err)
		return err;
	*ret_process = process;
	return tracker_rows__process(tracker, process);
}

static const struct epoch *process_epoch_or(const struct process *process,
					    const struct epoch *epoch)
{
	return epoch && epoch->process == process ? epoch : process->epoch;
}

int tracker__on_fork(struct tracker *tracker, const struct ps_fork_event *event)
{
	const struct epoch *from;
	struct process *parent = tracker__find(tracker, event->parent_tgid), *process;
	int64_t start_ns = tracker__time(tracker, event->event.time_ns);
	int err;

	process = tracker__find_exact(tracker, event->event.tgid, event->start_boot_ns);
	/* The iterator shows a child before the kernel tells of its fork: it may be known already,
	 * by an epoch that BPF has replaced. */
	if (process && tracker__epoch(tracker, event->epoch))
		return 0;
	if (process && process->epoch)
		return tracker__begin_epoch(tracker, process, event->epoch, start_ns,
					    process->epoch->image, &process->epoch->identity);
	if (!parent || !parent->epoch) {
		/* The parent's own birth was lost: the child is known by its name, at least. */
		struct ps_task_event task = {
			.event = event->event,
			.start_boot_ns = event->start_boot_ns,
			.parent_tgid = event->parent_tgid,
		};

		memcpy(task.comm, event->comm, sizeof(task.comm));
		return tracker__add_running(tracker, &task, event->epoch, &process);
	}
	err = new_process(tracker, event->event.tgid, event->start_boot_ns, event->parent_tgid,
			  event->comm, &process);
	if (err)
		return err;
	process->kernel_thread = parent->kernel_thread;
	process->cgroup_id = event->cgroup;
	if (parent->cgroup)
		process->cgroup = strdup(parent->cgroup);
	mapping_set__unref(process->mappings);
	process->mappings = mapping_set__ref(parent->mappings);
	process->mappings_since_ns = parent->mappings_since_ns;
	process->python = parent->python;
	process->python_process = parent->python_process;
	process->python_binary = parent->python_binary;
	/* Of a thread in a quantum of its own, that; else the process's. */
	from = process_epoch_or(parent, tracker__epoch(tracker, event->parent_epoch));
	process->own = from->identity;
	process->image_start_ns = start_ns;
	err = tracker__begin_epoch(tracker, process, event->epoch, start_ns, from->image,
				   &from->identity);
	return err ? err : tracker_rows__process(tracker, process);
}

/* --- threads */

struct thread *tracker__thread(struct tracker *tracker, struct process *process, uint32_t tid,
			       const char *name)
{
	struct thread *thread;

	HASH_FIND(hh, process->threads, &tid, sizeof(tid), thread);
	if (thread)
		return thread;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->tid = tid;
	thread->id = ++tracker->last_thread;
	thread->ended_slice = -1;
	memcpy(thread->name, name ? name : process->comm, PS_COMM_SIZE - 1);
	HASH_ADD(hh, process->threads, tid, sizeof(tid), thread);
	if (!thread->hh.tbl) {
		free(thread);
		return NULL;
	}
	tracker_rows__thread(tracker, process, thread, ROW_NULL);
	return thread;
}

/* --- snapshots */

void tracker__snapshot_begin(struct tracker *tracker, bool final)
{
	tracker->final = final;
	tracker->snapshot_number++;
}

int tracker__snapshot_task(struct tracker *tracker, const struct ps_task_event *task)
{
	struct process *process =
		tracker__find_exact(tracker, task->event.tgid, task->start_boot_ns);
	struct thread *thread;
	int err;

	if (!process || process->gone)
		return 0;
	if (process->snapshot.number != tracker->snapshot_number) {
		memset(&process->snapshot, 0, sizeof(process->snapshot));
		process->snapshot.number = tracker->snapshot_number;
	}
	/* A new epoch has begun whose event is not taken yet: that will tell what belongs to which.
	 */
	if (process->epoch && task->epoch && task->epoch != process->epoch->key)
		process->snapshot.late = true;
	if (process->snapshot.late)
		return 0;
	process->snapshot.time_ns = task->event.time_ns;
	process->snapshot.epoch = process->epoch;
	process->snapshot.cpu_ns += task->cpu_ns + task->ended_cpu_ns;
	process->snapshot.user_ns += task->user_ns + task->ended_user_ns;
	process->snapshot.system_ns += task->system_ns + task->ended_system_ns;
	if (!process->has_baseline)
		process->ended_cpu_ns += task->ended_cpu_ns;
	if (!task->cpu_ns && !task->waits.out_ns)
		return 0;
	thread = tracker__thread(tracker, process, task->event.tid, task->comm);
	if (!thread)
		return -ENOMEM;
	thread->snapshot = tracker->snapshot_number;
	if (task->thread_epoch != (thread->own ? thread->own->epoch->key : 0)) {
		process->snapshot.late = true; /* the same of a quantum of its own */
		return 0;
	}
	if (thread->ended_slice < 0 && strncmp(thread->name, task->comm, PS_COMM_SIZE)) {
		memcpy(thread->name, task->comm, PS_COMM_SIZE - 1);
		tracker_rows__thread(tracker, process, thread, ROW_NULL);
	}
	if (thread->ended_slice < 0)
		wait_rows__take(process, thread, &task->waits, task->event.time_ns);
	if (!process->has_baseline) {
		thread->charged_ns = task->cpu_ns;
	} else if (thread->ended_slice < 0) {
		err = tracker__charge_own(tracker, process, thread, task->cpu_ns, task->user_ns,
					  task->system_ns);
		return err ?: tracker__charge_thread(tracker, process, thread, task->cpu_ns);
	}
	return 0;
}

int tracker__snapshot_end(struct tracker *tracker)
{
	int err = 0;

	for (struct process *one = tracker->processes; one && !err; one = one->hh.next) {
		if (one->snapshot.number == tracker->snapshot_number && !one->gone &&
		    !one->snapshot.late && one->snapshot.epoch == one->epoch)
			err = tracker__charge(tracker, one, one->snapshot.cpu_ns,
					      one->snapshot.user_ns, one->snapshot.system_ns);
		if (!err)
			err = wait_rows__charge(tracker->writer, tracker->slice, one);
	}
	return err;
}

/* --- exec and ends */

/* Charges a thread's waits to the epoch that it leaves. */
static int end_waits(struct tracker *tracker, struct process *process, const struct ps_event *event,
		     const struct ps_waits *waits)
{
	struct thread *thread = tracker__thread(tracker, process, event->tid, NULL);

	if (!thread)
		return -ENOMEM;
	wait_rows__take(process, thread, waits, event->time_ns);
	return wait_rows__tell(tracker->writer, process, thread)
		       ?: wait_rows__charge(tracker->writer, tracker->slice, process);
}

/* An exec ends all threads but the one that does it, which is the leader from now on. What it used
 * so far is charged before the epoch changes. The event does not tell it apart from what ended
 * threads had used: that is known from their own events. */
static int charge_exec(struct tracker *tracker, struct process *process,
		       const struct ps_exec_event *event)
{
	uint64_t ended_ns = process->ended_cpu_ns, cpu_ns = event->cpu_ns;
	bool has_baseline = process->has_baseline;
	struct thread *leader, *one;
	int err =
		tracker__charge(tracker, process, event->cpu_ns, event->user_ns, event->system_ns);

	if (err)
		return err;
	leader = tracker__thread(tracker, process, event->event.tgid, event->comm);
	if (!leader)
		return -ENOMEM;
	cpu_ns = cpu_ns > ended_ns ? cpu_ns - ended_ns : 0;
	if (leader->ended_slice >= 0) {
		leader->charged_ns = 0;
		memset(&leader->waits, 0, sizeof(leader->waits));
		leader->ended_slice = -1;
		err = wait_rows__tell_all(tracker->writer, process);
		for (one = process->threads; one; one = one->hh.next) {
			if (one == leader || one->ended_slice >= 0)
				continue;
			leader->charged_ns = one->charged_ns;
			leader->waits = one->waits;
			one->ended_slice = tracker->slice;
			tracker_rows__thread(tracker, process, one,
					     tracker__time(tracker, event->event.time_ns));
		}
		leader->told = leader->waits;
		tracker_rows__thread(tracker, process, leader, ROW_NULL);
	}
	if (has_baseline)
		return err ?: tracker__charge_thread(tracker, process, leader, cpu_ns);
	leader->charged_ns = cpu_ns;
	return err;
}

int tracker__on_exec(struct tracker *tracker, const struct ps_exec_event *event,
		     struct process **ret_process)
{
	struct process *process =
		tracker__find_exact(tracker, event->event.tgid, event->start_boot_ns);
	const char *text = (const char *)(event + 1);
	_cleanup_free_ char *environment = NULL;
	int err;

	if (!process) {
		err = new_process(tracker, event->event.tgid, event->start_boot_ns,
				  event->parent_tgid, event->comm, &process);
		if (err)
			return err;
		/* Its life before is not known, and not this program's. */
		process->has_baseline = false;
	}
	err = tracker__end_all_own(tracker, process, event->event.time_ns);
	err = err ?: charge_exec(tracker, process, event);
	if (!err)
		err = end_waits(tracker, process, &event->event, &event->waits);
	if (err)
		return err;
	memcpy(process->comm, event->comm, PS_COMM_SIZE - 1);
	if (!process->cgroup || process->cgroup_id != event->cgroup) {
		char *cgroup;

		process->cgroup_id = event->cgroup;
		if (!facts__cgroup((pid_t)event->event.tgid, &cgroup)) {
			free(process->cgroup);
			process->cgroup = cgroup;
		}
	}
	if (event->env_size) {
		environment = malloc(event->env_size);
		if (!environment)
			return -ENOMEM;
		memcpy(environment, text + event->args_size, event->env_size);
	}
	err = start_image(tracker, process, tracker__find(tracker, event->parent_tgid),
			  event->epoch, tracker__time(tracker, event->event.time_ns), text,
			  event->args_size, environment, event->env_size);
	if (err)
		return err;
	*ret_process = process;
	return tracker_rows__process(tracker, process);
}

static void set_status(struct process *process, uint32_t status, uint64_t max_rss_pages)
{
	process->exit_code = ROW_NULL;
	process->exit_signal = ROW_NULL;
	if (WIFSIGNALED(status))
		process->exit_signal = WTERMSIG(status);
	else
		process->exit_code = WEXITSTATUS(status);
	if (max_rss_pages)
		process->max_rss_bytes = (int64_t)(max_rss_pages * (uint64_t)sysconf(_SC_PAGESIZE));
	process->dirty = true;
}

static int end_epoch(struct tracker *tracker, const struct process *process)
{
	if (!process->epoch)
		return 0;
	process->epoch->end_ns = process->end_ns;
	return tracker_rows__epoch(tracker, process->epoch);
}

int tracker__on_exit(struct tracker *tracker, const struct ps_exit_event *event)
{
	struct process *process =
		tracker__find_exact(tracker, event->event.tgid, event->start_boot_ns);
	int64_t end_ns = tracker__time(tracker, event->event.time_ns);
	struct thread *thread;
	int err;

	if (!process)
		return 0;
	thread = tracker__thread(tracker, process, event->event.tid, event->comm);
	if (!thread)
		return -ENOMEM;
	err = tracker__end_own(tracker, process, thread, event->event.time_ns);
	if (err)
		return err;
	if (process->has_baseline) {
		err = tracker__charge_thread(tracker, process, thread, event->thread_cpu_ns);
		if (err)
			return err;
		process->ended_cpu_ns += event->thread_cpu_ns;
	} else { /* the baseline will hold it */
		thread->charged_ns = event->thread_cpu_ns;
	}
	err = end_waits(tracker, process, &event->event, &event->waits);
	if (err)
		return err;
	thread->ended_slice = tracker->slice;
	memcpy(thread->name, event->comm, PS_COMM_SIZE - 1);
	err = tracker_rows__thread(tracker, process, thread, end_ns);
	if (err || !event->last)
		return err;
	process->end_ns = end_ns;
	set_status(process, event->status, event->max_rss_pages);
	err = end_epoch(tracker, process);
	return err ? err : tracker_rows__process(tracker, process);
}

int tracker__on_gone(struct tracker *tracker, const struct ps_gone_event *event)
{
	struct process *process =
		tracker__find_exact(tracker, event->event.tgid, event->start_boot_ns);
	int err;

	if (!process || process->gone)
		return 0;
	err = tracker__charge(tracker, process, event->cpu_ns, event->user_ns, event->system_ns);
	err = err ?: wait_rows__tell_all(tracker->writer, process);
	if (err)
		return err;
	tracker->living -= tracker__last_owner(tracker, event->event.tgid) == process;
	process->gone = true;
	process->gone_slice = tracker->slice;
	set_status(process, event->status, event->max_rss_pages);
	err = tracker__end_all_own(tracker, process, event->event.time_ns);
	if (!err && process->end_ns == ROW_NULL) { /* its exit event was lost */
		process->end_ns = tracker__time(tracker, event->event.time_ns);
		err = end_epoch(tracker, process);
	}
	return err ? err : tracker_rows__process(tracker, process);
}

void tracker__set_slice(struct tracker *tracker, int64_t slice)
{
	struct process *one, *next;

	tracker->slice = slice;
	HASH_ITER (hh, tracker->processes, one, next) {
		if (one->gone && one->gone_slice + SLICES_KEPT < slice)
			free_process(tracker, one);
		else
			free_threads(one, slice - SLICES_KEPT, tracker->snapshot_number);
	}
}

int tracker__write_processes(struct tracker *tracker, bool final)
{
	int err = 0;

	for (struct process *one = tracker->processes; one && !err; one = one->hh.next) {
		uint64_t bytes;

		if (final && one->end_ns == ROW_NULL &&
		    !facts__max_rss((pid_t)one->key.tgid, &bytes)) {
			one->max_rss_bytes = (int64_t)bytes;
			one->dirty = true;
		}
		if (one->dirty)
			err = tracker_rows__process(tracker, one);
		if (final && !err)
			err = wait_rows__tell_all(tracker->writer, one);
	}
	return err;
}
