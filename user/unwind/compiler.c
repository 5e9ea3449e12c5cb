// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICER	  5
#define NICE_MOST 19

struct task {
	struct task *next;
	int fd;
	unwind_look *look;
	struct unwind_job job;
};

struct queue {
	struct task *first, **last;
};

struct unwind_compiler {
	struct unwind_cache *cache;
	int event;
	pthread_mutex_t lock; /* of the queues and `ending` */
	pthread_cond_t added;
	struct queue waiting, finished;
	bool ending;
	unsigned int thread_count;
	pthread_t threads[];
};

static void append(struct queue *queue, struct task *task)
{
	task->next = NULL;
	*queue->last = task;
	queue->last = &task->next;
}

static struct task *take_first(struct queue *queue)
{
	struct task *task = queue->first;

	if (!task)
		return NULL;
	queue->first = task->next;
	if (!queue->first)
		queue->last = &queue->first;
	return task;
}

static void run(struct unwind_cache *cache, struct task *task)
{
	struct unwind_job *job = &task->job;
	struct unwind_cache_key key;
	int no_key = cache ? unwind_cache__key(task->fd, &key) : -ENOENT;

	if (!no_key && !unwind_cache__load(cache, &key, &job->rows)) {
		job->cached = true;
	} else {
		job->err = unwind_rows__compile(task->fd, &job->rows);
		/* A cache that cannot be written to costs time, nothing else. */
		if (!job->err && !no_key)
			unwind_cache__store(cache, &key, &job->rows);
	}
	if (task->look)
		task->look(job->user, task->fd);
	close(task->fd);
	task->fd = -1;
}

static void *work(void *argument)
{
	struct unwind_compiler *compiler = argument;
	int nice_value = getpriority(PRIO_PROCESS, 0) + NICER;
	const uint64_t one = 1;
	struct task *task;

	/* On Linux 0 is this thread. */
	setpriority(PRIO_PROCESS, 0, nice_value > NICE_MOST ? NICE_MOST : nice_value);
	pthread_mutex_lock(&compiler->lock);
	for (;;) {
		while (!compiler->waiting.first && !compiler->ending)
			pthread_cond_wait(&compiler->added, &compiler->lock);
		if (compiler->ending)
			break;
		task = take_first(&compiler->waiting);
		pthread_mutex_unlock(&compiler->lock);
		run(compiler->cache, task);
		pthread_mutex_lock(&compiler->lock);
		append(&compiler->finished, task);
		/* It can only be full: then it is readable. */
		(void)!write(compiler->event, &one, sizeof(one));
	}
	pthread_mutex_unlock(&compiler->lock);
	return NULL;
}

static int start_threads(struct unwind_compiler *compiler, unsigned int count)
{
	sigset_t all, before;
	int err = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (!err && compiler->thread_count < count) {
		err = -pthread_create(&compiler->threads[compiler->thread_count], NULL, work,
				      compiler);
		if (!err)
			compiler->thread_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

int unwind_compiler__new(unsigned int threads, struct unwind_cache *cache,
			 struct unwind_compiler **ret)
{
	struct unwind_compiler *compiler;
	int err;

	if (!threads)
		threads = 1;
	compiler = calloc(1, sizeof(*compiler) + threads * sizeof(*compiler->threads));
	if (!compiler)
		return -ENOMEM;
	compiler->cache = cache;
	compiler->waiting.last = &compiler->waiting.first;
	compiler->finished.last = &compiler->finished.first;
	pthread_mutex_init(&compiler->lock, NULL);
	pthread_cond_init(&compiler->added, NULL);
	compiler->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = compiler->event < 0 ? -errno : start_threads(compiler, threads);
	if (err) {
		unwind_compiler__free(compiler);
		return err;
	}
	*ret = compiler;
	return 0;
}

static void free_all(struct queue *queue)
{
	struct task *task;

	while ((task = take_first(queue))) {
		if (task->fd >= 0)
			close(task->fd);
		unwind_rows__clear(&task->job.rows);
		free(task);
	}
}

void unwind_compiler__free(struct unwind_compiler *compiler)
{
	if (!compiler)
		return;
	pthread_mutex_lock(&compiler->lock);
	compiler->ending = true;
	pthread_cond_broadcast(&compiler->added);
	pthread_mutex_unlock(&compiler->lock);
	for (unsigned int i = 0; i < compiler->thread_count; i++)
		pthread_join(compiler->threads[i], NULL);
	free_all(&compiler->waiting);
	free_all(&compiler->finished);
	if (compiler->event >= 0)
		close(compiler->event);
	pthread_cond_destroy(&compiler->added);
	pthread_mutex_destroy(&compiler->lock);
	free(compiler);
}

int unwind_compiler__add(struct unwind_compiler *compiler, int fd, unwind_look *look, void *user)
{
	struct task *task = calloc(1, sizeof(*task));
	int err;

	if (!task)
		return -ENOMEM;
	task->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (task->fd < 0) {
		err = -errno;
		free(task);
		return err;
	}
	task->look = look;
	task->job.user = user;
	pthread_mutex_lock(&compiler->lock);
	append(&compiler->waiting, task);
	pthread_cond_signal(&compiler->added);
	pthread_mutex_unlock(&compiler->lock);
	return 0;
}

int unwind_compiler__fd(const struct unwind_compiler *compiler)
{
	return compiler->event;
}

bool unwind_compiler__take(struct unwind_compiler *compiler, struct unwind_job *ret)
{
	struct task *task;
	uint64_t count;

	pthread_mutex_lock(&compiler->lock);
	task = take_first(&compiler->finished);
	/* Nothing left: not readable until the next one. A thread writes under the same lock. */
	if (!compiler->finished.first)
		(void)!read(compiler->event, &count, sizeof(count));
	pthread_mutex_unlock(&compiler->lock);
	if (!task)
		return false;
	*ret = task->job;
	free(task);
	return true;
}
