// SPDX-License-Identifier: GPL-2.0-or-later
/* The drain pushes requests onto one list, the thread answers onto another; each takes the other's
 * whole list at once. Files are an array that the drain fills and then counts up. A file's
 * addresses gather for a second, and after each reading for fifty times what it cost: so all of it
 * is below 2 % of a CPU until the recording ends. */
#include "capture/finisher.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/debuginfod.h"
#include "capture/line_reader.h"

#define MAX_WAITING	 65536 /* requests and answers */
#define MAX_READY	 (16u << 20) /* bytes of answers not taken */
#define MAX_READY_AT_END (64u << 20)
#define MAX_FAILURES	 3 /* of a file */
#define MAX_BUILD_ID	 64
#define GATHER_NS	 1000000000ULL
#define COST_FACTOR	 50
#define LOOK_MS		 200
#define LOWEST		 19

struct request {
	struct request *next;
	int file;
	int64_t frame;
	uint64_t address;
	void *context;
};

/* The drain takes a place that is free and says when it is left; the thread frees it. */
enum { PLACE_TAKEN, PLACE_LEFT, PLACE_FREE };

struct file {
	atomic_int place;
	int dwarf; /* -1: none so far */
	uint8_t build_id[MAX_BUILD_ID];
	size_t build_id_size;
	atomic_bool hopeless;
	/* The thread's own. */
	struct request *pending;
	size_t pending_count;
	uint64_t not_before_ns;
	unsigned int failures;
	bool left; /* seen before all that was asked was collected */
};

struct finisher {
	struct line_reader *reader;
	int wake; /* eventfd: the thread is to stop at once */
	int done; /* eventfd: nothing waits any more */
	bool running;
	pthread_t thread;
	struct file files[FINISHER_MAX_FILES];
	atomic_int file_count;
	_Atomic(struct request *) requests;
	_Atomic(struct finished *) ready;
	atomic_size_t waiting, ready_count, ready_bytes;
	_Atomic uint64_t given_up, cpu_ns;
	atomic_bool finishing, stopping;
};

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* --- the thread */

static void request__free(struct request *request)
{
	free(request->context);
	free(request);
}

static void give_up(struct finisher *finisher, struct file *file)
{
	atomic_store(&file->hopeless, true);
	while (file->pending) {
		struct request *request = file->pending;

		file->pending = request->next;
		request__free(request);
		atomic_fetch_add(&finisher->given_up, 1);
		atomic_fetch_sub(&finisher->waiting, 1);
	}
	file->pending_count = 0;
}

static void put_back(struct file *file, struct request *request)
{
	request->next = file->pending;
	file->pending = request;
	file->pending_count++;
}

static void collect(struct finisher *finisher)
{
	struct request *request = atomic_exchange(&finisher->requests, NULL), *next;

	for (; request; request = next) {
		next = request->next;
		put_back(&finisher->files[request->file], request);
	}
}

/* One block: the answer, the chain, its texts. */
static struct finished *make_answer(struct request *request, const struct line_frame *frames,
				    size_t count)
{
	size_t size = sizeof(struct finished) + count * sizeof(*frames);
	struct finished *answer;
	char *text;

	for (size_t i = 0; i < count; i++) {
		size += frames[i].name ? strlen(frames[i].name) + 1 : 0;
		size += frames[i].file ? strlen(frames[i].file) + 1 : 0;
	}
	answer = malloc(size);
	if (!answer)
		return NULL;
	*answer = (struct finished){.frame = request->frame,
				    .address = request->address,
				    .context = request->context,
				    .bytes = size,
				    .count = count};
	text = (char *)&answer->chain[count];
	for (size_t i = 0; i < count; i++) {
		answer->chain[i] = frames[i];
		if (frames[i].name) {
			answer->chain[i].name = text;
			text = stpcpy(text, frames[i].name) + 1;
		}
		if (frames[i].file) {
			answer->chain[i].file = text;
			text = stpcpy(text, frames[i].file) + 1;
		}
	}
	return answer;
}

static void push_answer(struct finisher *finisher, struct finished *answer)
{
	atomic_fetch_add(&finisher->ready_count, 1);
	atomic_fetch_add(&finisher->ready_bytes, answer->bytes);
	answer->next = atomic_load(&finisher->ready);
	while (!atomic_compare_exchange_weak(&finisher->ready, &answer->next, answer))
		;
	atomic_fetch_sub(&finisher->waiting, 1);
}

struct pass {
	struct finisher *finisher;
	struct request *requests[LINE_READER_MAX_ADDRESSES];
	uint64_t addresses[LINE_READER_MAX_ADDRESSES];
	size_t count, answered;
};

static int take_chain(void *context, size_t index, const struct line_frame *frames, size_t count)
{
	struct pass *pass = context;
	struct finished *answer = make_answer(pass->requests[index], frames, count);

	if (!answer)
		return -ENOMEM;
	push_answer(pass->finisher, answer);
	free(pass->requests[index]);
	pass->requests[index] = NULL;
	pass->answered++;
	return 0;
}

/* Whether it is worth to go on with the file after a reading that ended with err. */
static bool go_on(struct file *file, const struct pass *pass, int err)
{
	if (!err)
		return pass->answered == pass->count;
	if (err == -ECANCELED || (err == -EFBIG && pass->answered))
		return true;
	file->failures++;
	return err != -EPIPE && file->failures < MAX_FAILURES;
}

static void read_file(struct finisher *finisher, struct file *file, struct pass *pass)
{
	struct line_cost cost;
	int err;

	*pass = (struct pass){.finisher = finisher};
	while (file->pending && pass->count < LINE_READER_MAX_ADDRESSES) {
		struct request *request = file->pending;

		file->pending = request->next;
		file->pending_count--;
		pass->requests[pass->count] = request;
		pass->addresses[pass->count++] = request->address;
	}
	err = line_reader__find(finisher->reader, file->dwarf, pass->addresses, pass->count,
				finisher->wake, take_chain, pass, &cost);
	for (size_t i = 0; i < pass->count; i++)
		if (pass->requests[i])
			put_back(file, pass->requests[i]);
	if (!go_on(file, pass, err))
		give_up(finisher, file);
	atomic_fetch_add(&finisher->cpu_ns, cost.cpu_ns);
	file->not_before_ns = clock__ns(CLOCK_MONOTONIC) + GATHER_NS + COST_FACTOR * cost.cpu_ns;
}

static void ask_servers(struct finisher *finisher, struct file *file)
{
	file->dwarf = debuginfod__fetch(file->build_id, file->build_id_size, &finisher->stopping);
	if (file->dwarf == -ECANCELED)
		return;
	if (file->dwarf < 0)
		give_up(finisher, file);
}

/* The file with most to do of those whose time has come; NULL: none. */
static struct file *choose(struct finisher *finisher)
{
	bool finishing = atomic_load(&finisher->finishing);
	size_t ready = atomic_load(&finisher->ready_bytes);
	int count = atomic_load(&finisher->file_count);
	struct file *chosen = NULL;
	uint64_t now = clock__ns(CLOCK_MONOTONIC);

	if (ready > (finishing ? MAX_READY_AT_END : MAX_READY))
		return NULL;
	for (int i = 0; i < count; i++) {
		struct file *file = &finisher->files[i];

		if (atomic_load(&file->hopeless))
			give_up(finisher, file);
		if (!file->pending || (!finishing && now < file->not_before_ns))
			continue;
		if (!chosen || file->pending_count > chosen->pending_count)
			chosen = file;
	}
	return chosen;
}

/* Closes files that nobody asks for any more. What was asked before one was left may not be
 * collected yet when that is seen; by the next time it is. */
static void close_left(struct finisher *finisher)
{
	int count = atomic_load(&finisher->file_count);

	for (int i = 0; i < count; i++) {
		struct file *file = &finisher->files[i];

		if (atomic_load(&file->place) != PLACE_LEFT || file->pending)
			continue;
		if (!file->left) {
			file->left = true;
			continue;
		}
		if (file->dwarf >= 0)
			close(file->dwarf);
		file->dwarf = -1;
		file->build_id_size = 0;
		file->failures = 0;
		file->left = false;
		atomic_store(&file->hopeless, false);
		atomic_store(&file->place, PLACE_FREE);
	}
}

static void *finisher_thread(void *argument)
{
	struct finisher *finisher = argument;
	struct pass *pass = malloc(sizeof(*pass));

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), LOWEST);
	while (pass && !atomic_load(&finisher->stopping)) {
		struct pollfd wake = {.fd = finisher->wake, .events = POLLIN};
		struct file *file;

		collect(finisher);
		close_left(finisher);
		file = choose(finisher);
		if (file && file->dwarf < 0)
			ask_servers(finisher, file);
		else if (file)
			read_file(finisher, file, pass);
		else if (atomic_load(&finisher->finishing))
			break;
		else
			poll(&wake, 1, LOOK_MS);
	}
	free(pass);
	signal_fd(finisher->done);
	return NULL;
}

/* --- the drain */

int finisher__new(struct finisher **ret)
{
	struct finisher *finisher = calloc(1, sizeof(*finisher));
	int err;

	if (!finisher)
		return -ENOMEM;
	finisher->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	finisher->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = finisher->wake < 0 || finisher->done < 0 ? -errno : 0;
	err = err ?: line_reader__start(&finisher->reader);
	if (err) {
		finisher__free(finisher);
		return err;
	}
	*ret = finisher;
	return 0;
}

static void stop_thread(struct finisher *finisher)
{
	if (!finisher->running)
		return;
	atomic_store(&finisher->stopping, true);
	signal_fd(finisher->wake);
	pthread_join(finisher->thread, NULL);
	finisher->running = false;
}

void finisher__free(struct finisher *finisher)
{
	struct finished *answer, *next;

	if (!finisher)
		return;
	stop_thread(finisher);
	collect(finisher);
	for (int i = 0; i < atomic_load(&finisher->file_count); i++) {
		give_up(finisher, &finisher->files[i]);
		if (finisher->files[i].dwarf >= 0)
			close(finisher->files[i].dwarf);
	}
	for (answer = finisher__take(finisher); answer; answer = next) {
		next = answer->next;
		free(answer->context);
		free(answer);
	}
	line_reader__stop(finisher->reader);
	if (finisher->wake >= 0)
		close(finisher->wake);
	if (finisher->done >= 0)
		close(finisher->done);
	free(finisher);
}

/* The thread takes no signals: they belong to the session. */
static int start_thread(struct finisher *finisher)
{
	sigset_t all, before;
	int err;

	if (finisher->running)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&finisher->thread, NULL, finisher_thread, finisher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	finisher->running = !err;
	return -err;
}

static int free_place(const struct finisher *finisher)
{
	int count = atomic_load(&finisher->file_count), at = 0;

	while (at < count && atomic_load(&finisher->files[at].place) != PLACE_FREE)
		at++;
	return at;
}

int finisher__add_file(struct finisher *finisher, int dwarf, const uint8_t *build_id,
		       size_t build_id_size)
{
	int number = free_place(finisher), err = 0;
	bool from_servers =
		build_id && build_id_size && build_id_size <= MAX_BUILD_ID && debuginfod__wanted();
	struct file *file;

	if (dwarf < 0 && !from_servers)
		return -ENOENT;
	if (number == FINISHER_MAX_FILES || atomic_load(&finisher->finishing))
		err = -EMFILE;
	err = err ?: start_thread(finisher);
	if (err) {
		if (dwarf >= 0)
			close(dwarf);
		return err;
	}
	file = &finisher->files[number];
	file->dwarf = dwarf < 0 ? -1 : dwarf;
	if (dwarf < 0) {
		memcpy(file->build_id, build_id, build_id_size);
		file->build_id_size = build_id_size;
	}
	file->not_before_ns = clock__ns(CLOCK_MONOTONIC) + GATHER_NS;
	atomic_store(&file->place, PLACE_TAKEN);
	if (number == atomic_load(&finisher->file_count))
		atomic_store(&finisher->file_count, number + 1);
	return number;
}

void finisher__forget_file(struct finisher *finisher, int file)
{
	atomic_store(&finisher->files[file].place, PLACE_LEFT);
}

bool finisher__may_know(const struct finisher *finisher, int file)
{
	return !atomic_load(&finisher->files[file].hopeless);
}

int finisher__ask(struct finisher *finisher, int file, int64_t frame, uint64_t address,
		  void *context)
{
	struct request *request;

	if (atomic_load(&finisher->waiting) + atomic_load(&finisher->ready_count) >= MAX_WAITING) {
		free(context);
		return -ENOBUFS;
	}
	request = malloc(sizeof(*request));
	if (!request) {
		free(context);
		return -ENOMEM;
	}
	*request = (struct request){
		.file = file, .frame = frame, .address = address, .context = context};
	atomic_fetch_add(&finisher->waiting, 1);
	request->next = atomic_load(&finisher->requests);
	while (!atomic_compare_exchange_weak(&finisher->requests, &request->next, request))
		;
	return 0;
}

struct finished *finisher__take(struct finisher *finisher)
{
	struct finished *all = atomic_exchange(&finisher->ready, NULL);

	for (const struct finished *one = all; one; one = one->next) {
		atomic_fetch_sub(&finisher->ready_count, 1);
		atomic_fetch_sub(&finisher->ready_bytes, one->bytes);
	}
	return all;
}

size_t finisher__waiting(const struct finisher *finisher)
{
	return atomic_load(&finisher->waiting);
}

uint64_t finisher__given_up(const struct finisher *finisher)
{
	return atomic_load(&finisher->given_up);
}

uint64_t finisher__cpu_ns(const struct finisher *finisher)
{
	return atomic_load(&finisher->cpu_ns);
}

void finisher__finish(struct finisher *finisher, int timeout_ms, int stop_fd)
{
	struct pollfd either[] = {{.fd = finisher->done, .events = POLLIN},
				  {.fd = stop_fd, .events = POLLIN}};

	atomic_store(&finisher->finishing, true);
	if (!finisher->running)
		return;
	if (atomic_load(&finisher->waiting))
		poll(either, 2, timeout_ms);
	stop_thread(finisher);
}
