// SPDX-License-Identifier: GPL-2.0-or-later
/* The order in which a recording starts matters:
 *   1. checks that need nothing (root, kernel, another recorder, the command can be forked);
 *   2. BPF loaded, the output file created: from here on something is left behind;
 *   3. mapping records on, programs for fork, exec and exit attached: nothing is born unseen from
 *      now on;
 *   4. all running tasks taken up (those born since step 3 are there already);
 *   5. counting of operations and sampling on, the command let go.
 * At the end the other way round, with a last snapshot in between. */
#include "capture/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strings.h"
#include "capture/alloc_drain.h"
#include "capture/alloc_words.h"
#include "capture/ceph_drain.h"
#include "capture/child.h"
#include "capture/drain.h"
#include "capture/features.h"
#include "capture/finisher.h"
#include "capture/mmaps.h"
#include "capture/names.h"
#include "capture/node_lock.h"
#include "capture/perf_counters.h"
#include "capture/privileges.h"
#include "capture/programs.h"
#include "capture/quanta.h"
#include "capture/resources.h"
#include "capture/running.h"
#include "capture/sampler.h"
#include "capture/stacks.h"
#include "capture/tracker.h"
#include "capture/unwinder.h"
#include "counters.h"
#include "model/stack_tree.h"
#include "pipescope.skel.h"
#include "proc/rules.h"
#include "proc/wait_rule.h"
#include "store/writer.h"
#include "wire.h"

#define SLICE_NS     1000000000LL
#define COUNTS_LEAST 16384
/* The kernel's final figures of a process come a little after its end. */
#define LAST_FIGURES_MS 100
#define DRAIN_NICE	-15
#define PREPARE_NS	2000000000ULL
#define PREPARE_POLL_MS 100
/* At the end, for source lines that are not found yet. */
#define LINES_MS	   5000
#define LINES_WORTH_SAYING 1000
#define MAX_EVENTS	   16

struct session {
	const struct record_options *options;
	struct rules *rules;
	struct child child;
	int lock, epoll, timer, signals, stats;
	struct pipescope_bpf *bpf;
	struct recording_writer *writer;
	struct string_pool *pool;
	struct stack_tree *tree;
	struct tracker *tracker;
	struct unwinder *unwinder;
	struct finisher *finisher; /* NULL: no source lines of native code */
	struct names *names;
	struct quanta *quanta; /* NULL: that source is off */
	struct resources *resources; /* of quanta */
	struct perf_choice counted, missing; /* counters */
	struct perf_counters *perf_counters; /* NULL: none */
	struct stacks *stacks;
	struct mmaps *mmaps;
	struct drain *drain;
	struct ceph_drain *ceph; /* NULL: that source is off */
	struct alloc_drain *alloc; /* the same */
	struct sampler *sampler;
	struct sampler *major_faults; /* NULL: none */
	uint64_t counters[PS_COUNTER_COUNT];
	struct tracker_clock clock;
	struct timespec wall;
	int64_t slice, slice_start_ns;
	uint64_t own_cpu_ns; /* of the recorder, at the last slice */
	uint64_t first_rss_bytes; /* of the recorder, after its first slice */
	bool stopping;
	const char *stop_reason;
};

static int64_t session_time(const struct session *session)
{
	return (int64_t)(clock__ns(CLOCK_MONOTONIC) - session->clock.mono_ns);
}

/* --- before anything is recorded */

static int check(struct session *session)
{
	const struct record_options *options = session->options;
	const struct feature *missing = features__missing();

	if (missing) {
		log__error("cannot record: %s is missing; %s. 'pipescope doctor' tells more",
			   missing->name, missing->remedy);
		return -EPERM;
	}
	for (size_t i = 0; i < options->pid_count; i++) {
		if (kill(options->pids[i], 0) && errno == ESRCH) {
			log__error("there is no process %d", options->pids[i]);
			return -ESRCH;
		}
	}
	return node_lock__take(&session->lock);
}

static int load_rules(struct session *session)
{
	int err = rules__new(&session->rules);

	for (size_t i = 0; i < session->options->rule_count && !err; i++) {
		struct rules_error error;

		err = rules__add_file(session->rules, session->options->rules[i], &error);
		if (err)
			log__error("%s:%d: %s", error.path, error.line, error.message);
	}
	return err;
}

static int drop_privileges(void)
{
	int err = privileges__drop();

	if (err)
		log__error("cannot give up the privileges that a recording does not need: %s",
			   strerror(-err));
	return err;
}

static int create_output(struct session *session)
{
	const char *path = session->options->output;
	int err = session->options->live
			  ? recording_writer__stream(session->options->live->fd, &session->writer)
			  : recording_writer__create(path, &session->writer);

	if (err == -EEXIST)
		log__error(
			"%s, or its .old, -journal or -wal, exists and is no recording of "
			"pipescope: it stays; choose another file with -o",
			path);
	else if (err == -ELOOP)
		log__error("%s is a link: links are not followed; choose another file with -o",
			   path);
	else if (err)
		log__error("cannot create %s: %s; choose another place with -o", path,
			   strerror(-err));
	return err;
}

static int load_programs(struct session *session)
{
	struct programs_knobs knobs = {
		.offcpu = session->options->offcpu,
		.io = session->options->io,
		.quanta = session->options->quanta,
		.mem = session->options->mem,
		.alloc = session->options->alloc,
		.only_wanted = session->options->pid_count || session->options->command,
	};
	int err;

	if (session->options->counters) {
		session->counted = *session->options->counters;
		perf_choice__split(&session->counted, &session->missing);
	}
	knobs.counters = (uint32_t)session->counted.count;
	knobs.environment = rules__environment_names(session->rules, &knobs.environment_count);
	quanta__calls(session->rules, knobs.quantum_calls);
	knobs.any_function = quanta__any_function(session->rules);
	knobs.thread_quanta = quanta__of_threads(session->rules);
	rules__wait_calls(session->rules, knobs.wait_calls);
	err = programs__load(&knobs, &session->bpf);
	if (err)
		log__error(
			"the kernel refused the BPF programs: %s; 'pipescope doctor --load' "
			"shows its reasons",
			strerror(-err));
	return err;
}

/* --- the head of the recording */

static int write_meta(struct session *session)
{
	const struct record_options *options = session->options;
	struct recording_writer *writer = session->writer;
	struct utsname names;
	char text[64];
	int err;

	uname(&names);
	err = recording_writer__meta(writer, "node", names.nodename);
	err = err ?: recording_writer__meta(writer, "kernel", names.release);
	err = err ?: recording_writer__meta(writer, "machine", names.machine);
	err = err ?: recording_writer__meta(writer, "version", PIPESCOPE_VERSION);
	err = err ?: recording_writer__meta(writer, "command", options->command_line);
	err = err ?: recording_writer__meta(writer, "sources", options->sources);
	err = err ?: recording_writer__meta(writer, "event", sampler__event_name(session->sampler));
	if (!err && options->counters)
		err = perf_choice__write(writer, &session->counted, &session->missing);
	snprintf(text, sizeof(text), "%d", get_nprocs());
	err = err ?: recording_writer__meta(writer, "cpus", text);
	snprintf(text, sizeof(text), "%u", options->hz);
	err = err ?: recording_writer__meta(writer, "hz", text);
	snprintf(text, sizeof(text), "%lld", SLICE_NS);
	err = err ?: recording_writer__meta(writer, "slice_ns", text);
	snprintf(text, sizeof(text), "%lld%09ld", (long long)session->wall.tv_sec,
		 session->wall.tv_nsec);
	err = err ?: recording_writer__meta(writer, "start_wall_ns", text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)session->own_cpu_ns);
	err = err ?: recording_writer__meta(writer, "startup_cpu_ns", text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)session->clock.boot_ns);
	return err ?: recording_writer__meta(writer, "start_boot_ns", text);
}

/* --- start */

static int watch(struct session *session, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(session->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int make_descriptors(struct session *session)
{
	const struct itimerspec slices = {
		.it_value = {.tv_sec = SLICE_NS / 1000000000LL},
		.it_interval = {.tv_sec = SLICE_NS / 1000000000LL},
	};
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	session->epoll = epoll_create1(EPOLL_CLOEXEC);
	session->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	session->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (session->epoll < 0 || session->signals < 0 || session->timer < 0 ||
	    timerfd_settime(session->timer, 0, &slices, NULL))
		return -errno;
	err = watch(session, session->signals);
	err = err ?: watch(session, session->timer);
	if (!err && session->child.pid)
		err = watch(session, session->child.pid_fd);
	return err;
}

/* A tracker_free_hook. */
static void forget(void *context, struct process *process)
{
	struct session *session = context;

	stacks__forget(session->stacks, process);
	resources__forget(process);
	names__forget(session->names, process, clock__ns(CLOCK_MONOTONIC));
}

static int make_parts(struct session *session)
{
	struct names_maps maps = {
		.py_processes = bpf_map__fd(session->bpf->maps.py_processes),
		.py_layouts = bpf_map__fd(session->bpf->maps.py_layouts),
		.known_pythons = bpf_map__fd(session->bpf->maps.known_pythons),
	};
	struct drain_parts parts = {.bpf = session->bpf,
				    .writer = session->writer,
				    .offcpu = session->options->offcpu,
				    .io = session->options->io,
				    .mem = session->options->mem,
				    .live = session->options->live,
				    .start_ns = session->clock.mono_ns};
	struct quanta_parts quanta = {.rules = session->rules,
				      .writer = session->writer,
				      .counters = session->counters,
				      .frame_rules = bpf_map__fd(session->bpf->maps.frame_rules),
				      .frame_names = bpf_map__fd(session->bpf->maps.frame_names),
				      .py_processes = maps.py_processes,
				      .epochs = bpf_map__fd(session->bpf->maps.epochs),
				      .thread_quanta =
					      bpf_map__fd(session->bpf->maps.thread_quanta)};
	int err;

	session->pool = string_pool__new();
	session->tree = stack_tree__new(session->writer);
	if (!session->pool || !session->tree)
		return -ENOMEM;
	err = tracker__new(session->writer, session->rules, session->clock, forget, session,
			   &session->tracker);
	quanta.tracker = session->tracker;
	if (!err && session->options->quanta)
		err = quanta__new(&quanta, &session->quanta)
			      ?: resources__new(session->tracker, session->writer,
						&session->counted, &session->resources);
	err = err ?: unwinder__new(session->bpf, session->counters, &session->unwinder);
	err = err ?: watch(session, unwinder__fd(session->unwinder));
	err = err
		      ?: names__new(session->tree, session->pool, session->unwinder,
				    session->finisher, session->quanta, maps, session->counters,
				    &session->names);
	if (err)
		return err;
	session->stacks = stacks__new(session->tree, session->names, session->unwinder);
	if (!session->stacks)
		return -ENOMEM;
	err = mmaps__start(session->pool, session->epoll, &session->mmaps);
	if (err)
		return err;
	parts.tracker = session->tracker;
	parts.rules = session->rules;
	parts.names = session->names;
	parts.stacks = session->stacks;
	parts.tree = session->tree;
	parts.unwinder = session->unwinder;
	parts.quanta = session->quanta;
	parts.resources = session->resources;
	parts.mmaps = session->mmaps;
	parts.counters = session->counters;
	/* At most one distinct stack per sample; a slice can be late by a quarter. */
	parts.counts_per_slice =
		(uint32_t)get_nprocs_conf() * session->options->hz * 5 / 4 + COUNTS_LEAST;
	if (session->options->alloc)
		err = alloc_drain__new(&(struct alloc_parts){session->bpf, session->writer,
							     session->tracker, session->stacks,
							     session->options->alloc,
							     session->counters},
				       &session->alloc);
	parts.alloc = session->alloc;
	if (!err && session->options->ceph)
		err = ceph_drain__new(session->bpf, session->writer, session->tracker,
				      session->counters, &session->ceph);
	parts.ceph = session->ceph;
	return err ?: drain__new(&parts, &session->drain) ?: watch(session, drain__fd(session->drain));
}

static int take_up_running(struct session *session)
{
	const struct running_parts parts = {
		.epochs = bpf_map__fd(session->bpf->maps.epochs),
		.drain = session->drain,
		.tracker = session->tracker,
		.names = session->names,
		.mmaps = session->mmaps,
		.all = !session->options->pid_count && !session->options->command,
		.pids = session->child.pid ? &session->child.pid : session->options->pids,
		.pid_count = session->child.pid ? 1 : session->options->pid_count,
	};

	return running__take_up(&parts);
}

/* The rows of what runs already are compiled before the first sample; but not for ever. */
static int prepare_walker(struct session *session)
{
	uint64_t end = clock__ns(CLOCK_MONOTONIC) + PREPARE_NS;
	int err = names__settle(session->names, clock__ns(CLOCK_MONOTONIC));

	while (!err && unwinder__busy(session->unwinder) && clock__ns(CLOCK_MONOTONIC) < end) {
		struct pollfd compiled = {.fd = unwinder__fd(session->unwinder), .events = POLLIN};

		if (poll(&compiled, 1, PREPARE_POLL_MS) > 0)
			err = unwinder__take(session->unwinder, clock__ns(CLOCK_MONOTONIC));
		err = err ?: mmaps__collect(session->mmaps);
	}
	return err;
}

/* Code of modules that are being imported, and of processes that end, is gone soon: names must be
 * read at once, also on a node whose CPUs are all busy. The writer's thread stays as nice as it is.
 */
static void hurry(void)
{
	if (setpriority(PRIO_PROCESS, 0, DRAIN_NICE))
		log__warning(
			"cannot raise the recorder's priority: %s; names of short-lived code "
			"may come too late",
			strerror(errno));
}

static int start(struct session *session)
{
	int err;

	hurry();
	session->clock.mono_ns = clock__ns(CLOCK_MONOTONIC);
	session->clock.boot_ns = clock__ns(CLOCK_BOOTTIME);
	clock_gettime(CLOCK_REALTIME, &session->wall);
	err = make_descriptors(session);
	err = err ?: make_parts(session);
	/* Before the first switch that reads them. */
	if (!err && session->counted.count)
		err = perf_counters__start(&session->counted,
					   bpf_map__fd(session->bpf->maps.perf_counters),
					   libbpf_num_possible_cpus(), &session->perf_counters);
	err = err ?: programs__attach(session->bpf);
	err = err ?: take_up_running(session);
	if (!err && session->alloc)
		alloc_drain__look(session->alloc);
	err = err ?: prepare_walker(session);
	if (!err) /* the baseline of all CPU times */
		err = drain__slice(session->drain, 0, session->clock.mono_ns, false);
	err = err ?: programs__attach_calls(session->bpf);
	if (!err && session->ceph)
		err = ceph_drain__look(session->ceph);
	if (!err)
		err = sampler__start(session->bpf->progs.cpu_sample, session->options->hz,
				     &session->sampler);
	if (!err && programs__major_faults(session->bpf))
		err = sampler__start_faults(programs__major_faults(session->bpf),
					    &session->major_faults);
	session->own_cpu_ns = clock__ns(CLOCK_PROCESS_CPUTIME_ID);
	err = err ?: write_meta(session);
	if (!err && session->options->stats) {
		session->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
		if (session->stats < 0)
			err = session->stats;
	}
	if (err)
		log__error("cannot start recording: %s", strerror(-err));
	return err;
}

/* --- slices */

static uint64_t own_cpu_ns(const struct session *session)
{
	uint64_t cpu_ns = clock__ns(CLOCK_PROCESS_CPUTIME_ID);

	return cpu_ns + (session->finisher ? finisher__cpu_ns(session->finisher) : 0);
}

static int write_quality(struct session *session)
{
	static const struct {
		const char *name, *meaning;
	} texts[] = {
#define X(name, text, meaning) {text, meaning},
		PS_COUNTERS(X)
#undef X
	};
	uint64_t values[PS_COUNTER_COUNT];
	int err = drain__counters(session->drain, values);

	for (size_t i = 0; i < PS_COUNTER_COUNT && !err; i++)
		err = recording_writer__quality(session->writer, texts[i].name, (int64_t)values[i],
						texts[i].meaning);
	return err;
}

static void stop(struct session *session, const char *reason)
{
	if (!session->stopping)
		session->stop_reason = reason;
	session->stopping = true;
}

/* Whoever looks at a live recording wants to know each slice which threads idle; and it goes on for
 * days, so what has grown too much makes room for a new recorder. */
static int end_live_slice(struct session *session, uint64_t rss_bytes)
{
	if (!session->first_rss_bytes)
		session->first_rss_bytes = rss_bytes;
	if (rss_bytes > session->first_rss_bytes + session->options->live->most_growth_bytes)
		stop(session, "its memory had grown");
	return tracker__tell_waits(session->tracker);
}

static int end_slice(struct session *session, bool final)
{
	int64_t end_ns = session_time(session);
	uint64_t cpu_ns = own_cpu_ns(session),
		 rss_bytes = (uint64_t)process_memory__resident_bytes(getpid());
	int err;

	err = drain__slice(session->drain, session->slice,
			   session->clock.mono_ns + (uint64_t)session->slice_start_ns, final);
	if (!err && session->ceph)
		err = ceph_drain__slice(session->ceph, session->slice,
					drain__meanwhile(session->drain));
	if (!err && session->alloc)
		err = alloc_drain__slice(session->alloc, session->slice);
	if (!err && session->options->live)
		err = end_live_slice(session, rss_bytes);
	err = err
		      ?: recording_writer__slice(session->writer, session->slice,
						 session->slice_start_ns, end_ns);
	err = err
		      ?: recording_writer__recorder(session->writer, session->slice,
						    (int64_t)(cpu_ns - session->own_cpu_ns),
						    (int64_t)rss_bytes);
	err = err ?: names__take_lines(session->names);
	err = err ?: write_quality(session);
	err = err ?: tracker__write_processes(session->tracker, final);
	err = err ?: recording_writer__flush(session->writer);
	session->own_cpu_ns = cpu_ns;
	session->slice_start_ns = end_ns;
	session->slice++;
	tracker__set_slice(session->tracker, session->slice);
	if (err || final)
		return err;
	err = sampler__update(session->sampler) ?: perf_counters__update(session->perf_counters);
	if (!err && session->major_faults)
		err = sampler__update(session->major_faults);
	return err ?: mmaps__update(session->mmaps);
}

static void show_progress(struct session *session)
{
	uint64_t values[PS_COUNTER_COUNT], lost;

	if (session->options->quiet || drain__counters(session->drain, values))
		return;
	lost = values[PS_COUNTER_COUNTS_FULL] + values[PS_COUNTER_EVENTS_FULL] +
	       values[PS_COUNTER_EPOCHS_FULL] + values[PS_COUNTER_QUEUE_FULL];
	log__progress("%lld s, %llu samples, %u processes, %llu lost",
		      (long long)(session_time(session) / 1000000000LL),
		      (unsigned long long)values[PS_COUNTER_SAMPLES],
		      tracker__process_count(session->tracker), (unsigned long long)lost);
}

/* --- the loop */

static void on_signal(struct session *session)
{
	struct signalfd_siginfo info;

	while (read(session->signals, &info, sizeof(info)) == sizeof(info))
		stop(session, info.ssi_signo == SIGINT ? "interrupted" : "terminated");
}

static int on_timer(struct session *session)
{
	uint64_t ticks;
	int err;

	if (read(session->timer, &ticks, sizeof(ticks)) < 0)
		return errno == EAGAIN ? 0 : -errno;
	err = end_slice(session, false);
	if (session->options->pid_count && !tracker__process_count(session->tracker))
		stop(session, "the processes ended");
	show_progress(session);
	return err;
}

/* How long to wait for events, at most. */
static int wait_ms(const struct session *session)
{
	int64_t left;

	if (session->options->duration_s <= 0)
		return PS_LOOK_MS;
	left = (int64_t)(session->options->duration_s * 1e9) - session_time(session);
	if (left >= PS_LOOK_MS * 1000000)
		return PS_LOOK_MS;
	return left <= 0 ? 0 : (int)(left / 1000000) + 1;
}

static int run(struct session *session)
{
	struct epoll_event events[MAX_EVENTS];
	int err = 0;

	while (!session->stopping && !err) {
		int count = epoll_wait(session->epoll, events, MAX_EVENTS, wait_ms(session));
		bool slice_over = false;

		if (count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == session->signals)
				on_signal(session);
			else if (fd == session->timer)
				slice_over = true;
			else if (session->child.pid && fd == session->child.pid_fd)
				stop(session, "the command ended");
		}
		err = drain__events(session->drain);
		if (!err && session->alloc)
			alloc_words__tell(session->alloc, session->options->quiet);
		if (!err && slice_over)
			err = on_timer(session);
		err = err ?: recording_writer__error(session->writer);
		if (session->options->duration_s > 0 && wait_ms(session) == 0)
			stop(session, "the time was over");
	}
	return err;
}

/* The recording is complete but for the source lines of what was sampled last. */
static int finish_lines(struct session *session)
{
	if (!session->finisher)
		return 0;
	if (finisher__waiting(session->finisher) > LINES_WORTH_SAYING && !session->options->quiet)
		log__info("finding source lines, Ctrl-C leaves the rest out");
	finisher__finish(session->finisher, LINES_MS, session->signals);
	return names__take_lines(session->names) ?: write_quality(session);
}

/* The last slice: no more samples, a last snapshot, and then a little time for the final figures
 * of processes that have just ended. */
static int finish(struct session *session)
{
	uint64_t end = clock__ns(CLOCK_MONOTONIC) + LAST_FIGURES_MS * 1000000ULL;
	char text[32];
	int err = 0;

	snprintf(text, sizeof(text), "%lld", (long long)session_time(session));
	if (session->stats >= 0) {
		err = programs__write_times(session->bpf->obj, session->writer);
		err = err
			      ?: programs__write_times(ceph_drain__programs(session->ceph),
						       session->writer);
	}
	sampler__free(session->sampler);
	sampler__free(session->major_faults);
	session->sampler = session->major_faults = NULL;
	if (session->child.pid)
		child__wait(&session->child, false); /* reaped: its final figures come */
	err = err
		      ?: drain__slice(session->drain, session->slice,
				      session->clock.mono_ns + (uint64_t)session->slice_start_ns,
				      false);
	while (!err && clock__ns(CLOCK_MONOTONIC) < end) {
		struct epoll_event events[MAX_EVENTS];

		if (epoll_wait(session->epoll, events, MAX_EVENTS, LAST_FIGURES_MS / 10) >= 0)
			err = drain__events(session->drain);
	}
	programs__detach_calls(session->bpf);
	if (session->alloc)
		alloc_drain__stop(session->alloc);
	if (session->ceph)
		ceph_drain__stop(session->ceph);
	err = err ?: end_slice(session, true);
	err = err ?: drain__finish(session->drain);
	err = err ?: names__write_problems(session->names, session->writer);
	if (!err && session->ceph)
		err = ceph_drain__finish(session->ceph);
	err = err ?: finish_lines(session);
	err = err ?: recording_writer__meta(session->writer, "stop_ns", text);
	return err ?: recording_writer__meta(session->writer, "stop_reason", session->stop_reason);
}

static void tell_end(struct session *session)
{
	uint64_t values[PS_COUNTER_COUNT];

	if (session->options->quiet || drain__counters(session->drain, values))
		return;
	log__info("%s after %.1f s: %llu samples; now: pipescope report %s", session->stop_reason,
		  (double)session_time(session) / 1e9,
		  (unsigned long long)values[PS_COUNTER_SAMPLES], session->options->output);
}

static void close_session(struct session *session)
{
	sampler__free(session->sampler);
	sampler__free(session->major_faults);
	ceph_drain__free(session->ceph);
	alloc_drain__free(session->alloc);
	drain__free(session->drain);
	mmaps__free(session->mmaps);
	tracker__free(session->tracker);
	stacks__free(session->stacks);
	names__free(session->names);
	finisher__free(session->finisher);
	resources__free(session->resources);
	quanta__free(session->quanta);
	unwinder__free(session->unwinder);
	perf_counters__free(session->perf_counters);
	if (session->bpf)
		pipescope_bpf__destroy(session->bpf);
	stack_tree__free(session->tree);
	string_pool__free(session->pool);
	rules__free(session->rules);
	child__abandon(&session->child);
	for (int *fd = (int[]){session->stats, session->timer, session->signals, session->epoll,
			       session->lock, -2};
	     *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
}

/* The recording is closed, so another signal may now end the recorder at once. */
static void wait_for_command(struct session *session)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!session->child.ended && !session->options->quiet)
		log__info("waiting for the command to end");
	child__wait(&session->child, true);
}

static int record(struct session *session, int *ret_exit_code)
{
	const char *output = session->options->output;
	bool started = false;
	int err, writer_err;

	err = check(session);
	err = err ?: load_rules(session);
	if (!err && session->options->command) {
		err = child__prepare(session->options->command, &session->child);
		if (err)
			log__error("cannot start the command: %s", strerror(-err));
	}
	err = err ?: drop_privileges();
	/* It forks, so while the recorder is small. */
	if (!err && finisher__new(&session->finisher))
		log__warning("native code will have no source lines: cannot fork");
	err = err ?: load_programs(session);
	err = err ?: create_output(session);
	err = err ?: start(session);
	if (err)
		goto cleanup;
	started = true;
	if (!session->options->quiet)
		log__info("recording to %s, Ctrl-C ends it", output);
	if (session->child.pid)
		child__start(&session->child);
	err = run(session);
	if (!session->options->live) /* else nobody wants its end */
		err = err ?: finish(session);
	log__progress_end();
	if (!err)
		tell_end(session);
cleanup:
	if (err && session->writer)
		recording_writer__meta(session->writer, "stop_reason", strerror(-err));
	writer_err = recording_writer__close(session->writer);
	session->writer = NULL;
	if (writer_err)
		log__error("cannot write %s: %s; what the file holds until then stays", output,
			   strerror(-writer_err));
	else if (err && started)
		log__error("recording ended early: %s", strerror(-err));
	err = err ?: writer_err;
	if (!err && session->child.pid) {
		wait_for_command(session);
		*ret_exit_code = child__exit_code(&session->child);
	}
	return err;
}

int session__record(const struct record_options *options, int *ret_exit_code)
{
	struct session session = {
		.options = options,
		.child = CHILD_NONE,
		.lock = -1,
		.epoll = -1,
		.timer = -1,
		.signals = -1,
		.stats = -1,
		.stop_reason = NULL,
	};
	int err = record(&session, ret_exit_code);

	close_session(&session);
	return err;
}
