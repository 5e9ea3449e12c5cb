// SPDX-License-Identifier: GPL-2.0-or-later
/* Loops of one thing, for measuring what recording adds to it:
 *
 *     calls read COUNT LOOPS FILE   reads of 64 bytes, after each so many loops of computing
 *     calls open COUNT LOOPS FILE   open, stat and close, in the same way
 *     calls futex COUNT             two threads on one CPU wake each other in turn
 *     calls pipe COUNT              the same through pipes
 *     calls fault COUNT             first touches of pages
 *     calls churn COUNT             32 processes that compute, read, sleep and start COUNT children
 *
 * Prints nanoseconds of CPU time: per read, per open + stat + close, per switch, per
 * fault, in all of churn. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 32
#define BURST	  10000000 /* loops */

extern char **environ;

static void die(const char *what)
{
	fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void print_per(uint64_t begin, uint64_t count)
{
	printf("%.1f\n", (double)(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - begin) / (double)count);
}

static void compute(uint64_t loops)
{
	volatile uint64_t value = 1;

	for (uint64_t i = 0; i < loops; i++)
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
}

static void run_reads(const char *name, uint64_t count, uint64_t loops)
{
	int descriptor = open(name, O_RDONLY);
	uint64_t begin;
	char bytes[64];

	begin = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (uint64_t i = 0; i < count; i++) {
		if (pread(descriptor, bytes, sizeof(bytes), 0) != sizeof(bytes))
			die(name);
		compute(loops);
	}
	print_per(begin, count);
}

static void run_opens(const char *name, uint64_t count, uint64_t loops)
{
	uint64_t begin = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct stat found;

	for (uint64_t i = 0; i < count; i++) {
		int descriptor = open(name, O_RDONLY);

		if (descriptor < 0 || stat(name, &found) || close(descriptor))
			die(name);
		compute(loops);
	}
	print_per(begin, count);
}

/* --- switches */

static atomic_uint turn;
static uint64_t turns;
static int pipes[2][2];
static bool by_pipe;

static void hand_over(unsigned int me)
{
	char byte = 0;

	if (by_pipe) {
		if (write(pipes[!me][1], &byte, 1) != 1 || read(pipes[me][0], &byte, 1) != 1)
			die("pipe");
		return;
	}
	atomic_store(&turn, !me);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	while (atomic_load(&turn) != me)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, !me, NULL, NULL, 0);
}

static void *player(void *number)
{
	unsigned int me = (unsigned int)(uintptr_t)number;
	char byte = 0;

	if (me && by_pipe && read(pipes[me][0], &byte, 1) != 1)
		die("pipe");
	while (!by_pipe && atomic_load(&turn) != me)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, !me, NULL, NULL, 0);
	for (uint64_t i = 0; i < turns; i++)
		hand_over(me);
	/* The other's last turn. */
	if (!me && by_pipe && write(pipes[1][1], &byte, 1) != 1)
		die("pipe");
	atomic_store(&turn, !me);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return NULL;
}

static void run_switches(uint64_t count)
{
	struct rusage before, after;
	pthread_t threads[2];
	uint64_t begin;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((int)sysconf(_SC_NPROCESSORS_ONLN) - 1, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || pipe(pipes[0]) || pipe(pipes[1]))
		die("sched_setaffinity, pipe");
	turns = count / 2;
	getrusage(RUSAGE_SELF, &before);
	begin = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (uintptr_t i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, player, (void *)i))
			die("pthread_create");
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	getrusage(RUSAGE_SELF, &after);
	print_per(begin, (uint64_t)(after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw -
				    before.ru_nivcsw));
}

/* --- faults */

#define PAGES 4096 /* at a time */

static void run_faults(uint64_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = PAGES * page;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t begin = cpu_ns(CLOCK_PROCESS_CPUTIME_ID), touched = 0;

	if (memory == MAP_FAILED)
		die("mmap");
	madvise(memory, size, MADV_NOHUGEPAGE);
	while (touched < count) {
		for (size_t i = 0; i < PAGES; i++, touched++)
			memory[i * page] = 1;
		madvise(memory, size, MADV_DONTNEED);
	}
	print_per(begin, touched);
}

/* --- processes */

static void work(uint64_t children)
{
	char *const arguments[] = {"true", NULL};
	char bytes[64];

	for (uint64_t i = 0; i < children; i++) {
		int descriptor = open("/proc/self/exe", O_RDONLY), status;
		pid_t pid;

		compute(BURST);
		for (int j = 0; j < 100; j++)
			if (pread(descriptor, bytes, sizeof(bytes), j) < 0)
				die("pread");
		close(descriptor);
		usleep(1000);
		if (posix_spawnp(&pid, "true", NULL, NULL, arguments, environ) ||
		    waitpid(pid, &status, 0) != pid)
			die("true");
	}
	_exit(0);
}

static void run_churn(uint64_t children)
{
	struct rusage usage;

	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			work(children);
	}
	while (wait(NULL) > 0)
		;
	getrusage(RUSAGE_CHILDREN, &usage);
	printf("%llu\n",
	       ((unsigned long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
		(unsigned long long)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)) *
		       1000);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t loops = argc > 4 ? strtoull(argv[3], NULL, 10) : 0;

	if (!count)
		return 2;
	by_pipe = !strcmp(what, "pipe");
	if (!strcmp(what, "read") && argc == 5)
		run_reads(argv[4], count, loops);
	else if (!strcmp(what, "open") && argc == 5)
		run_opens(argv[4], count, loops);
	else if (!strcmp(what, "futex") || by_pipe)
		run_switches(count);
	else if (!strcmp(what, "fault"))
		run_faults(count);
	else if (!strcmp(what, "churn"))
		run_churn(count);
	else
		return 2;
	return 0;
}
