// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes of several kinds, and the CPU time that each of them took without its children:
 *
 *     cpu_exact       prints "ready", begins at a line on stdin, prints one JSON object, ends at
 *                     the end of stdin
 *
 * The times of a process that ended are what wait4() told its parent; those of "older", which
 * lives from before the line on stdin until the end, are differences of its own clock. Threads read
 * their own clock just before they end. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#define MS	     1000000LL
#define MAX_ROWS     64
#define MAX_THREADS  4
#define MEMORY_BYTES (96L << 20)

struct process_row {
	char kind[24];
	pid_t pid;
	int alive;
	int64_t cpu_ns;
	int64_t user_ns;
	int64_t system_ns;
	int64_t max_rss_bytes;
	int64_t children_ns; /* of cpu_ns, when wait4 told it */
};

struct thread_row {
	pid_t pid;
	pid_t tid;
	int64_t cpu_ns;
};

/* Shared by all the processes. */
static struct table {
	atomic_int processes;
	atomic_int threads;
	struct process_row process[MAX_ROWS];
	struct thread_row thread[MAX_ROWS];
} * table;

static void die(const char *what)
{
	fprintf(stderr, "cpu_exact: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static int64_t now(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time))
		die("clock_gettime");
	return time.tv_sec * 1000 * MS + time.tv_nsec;
}

static void burn_user(int64_t length_ns)
{
	int64_t end = now(CLOCK_THREAD_CPUTIME_ID) + length_ns;
	volatile uint64_t value = 1;

	while (now(CLOCK_THREAD_CPUTIME_ID) < end)
		for (int i = 0; i < 20000; i++)
			value = value * 6364136223846793005ULL + 1442695040888963407ULL;
}

static void burn_system(int64_t length_ns)
{
	static char buffer[1 << 18];
	int64_t end = now(CLOCK_THREAD_CPUTIME_ID) + length_ns;
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	if (zero < 0)
		die("/dev/zero");
	while (now(CLOCK_THREAD_CPUTIME_ID) < end)
		if (read(zero, buffer, sizeof(buffer)) < 0)
			die("read");
	close(zero);
}

static struct process_row *add_process(const char *kind, pid_t pid)
{
	int i = atomic_fetch_add(&table->processes, 1);

	if (i >= MAX_ROWS)
		die("too many processes");
	snprintf(table->process[i].kind, sizeof(table->process[i].kind), "%s", kind);
	table->process[i].pid = pid;
	return &table->process[i];
}

static void add_thread(void)
{
	int i = atomic_fetch_add(&table->threads, 1);

	if (i >= MAX_ROWS)
		die("too many threads");
	table->thread[i].pid = getpid();
	table->thread[i].tid = syscall(SYS_gettid);
	table->thread[i].cpu_ns = now(CLOCK_THREAD_CPUTIME_ID);
}

static int64_t timeval_ns(struct timeval time)
{
	return time.tv_sec * 1000 * MS + time.tv_usec * 1000LL;
}

/* Waits for the process and fills in its row. */
static void reap(struct process_row *row)
{
	struct rusage usage;
	int status;

	if (wait4(row->pid, &status, 0, &usage) != row->pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		die(row->kind);
	row->user_ns = timeval_ns(usage.ru_utime);
	row->system_ns = timeval_ns(usage.ru_stime);
	row->cpu_ns = row->user_ns + row->system_ns - row->children_ns;
	row->max_rss_bytes = usage.ru_maxrss * 1024;
}

static void *burn_and_tell(void *argument)
{
	burn_user((intptr_t)argument * MS);
	add_thread();
	return NULL;
}

static void *burn_and_end_all(void *argument)
{
	burn_and_tell(argument);
	_exit(0);
}

static void run_single(struct process_row *row)
{
	(void)row;
	burn_user(200 * MS);
	add_thread();
}

static void run_short(struct process_row *row)
{
	(void)row;
	burn_user(3 * MS);
}

static void run_system(struct process_row *row)
{
	(void)row;
	burn_system(200 * MS);
	add_thread();
}

/* All but the last thread end long before the process does. */
static void run_threads(struct process_row *row)
{
	pthread_t threads[MAX_THREADS];

	(void)row;
	for (intptr_t i = 0; i < MAX_THREADS; i++)
		if (pthread_create(&threads[i], NULL, burn_and_tell, (void *)(40 + 40 * i)))
			die("pthread_create");
	for (int i = 0; i < MAX_THREADS; i++)
		pthread_join(threads[i], NULL);
	burn_user(30 * MS);
	add_thread();
}

static void run_leader_first(struct process_row *row)
{
	pthread_t thread;

	(void)row;
	if (pthread_create(&thread, NULL, burn_and_end_all, (void *)150))
		die("pthread_create");
	burn_user(50 * MS);
	add_thread();
	syscall(SYS_exit, 0);
}

static void run_exec(struct process_row *row)
{
	(void)row;
	burn_user(100 * MS);
	execl("/proc/self/exe", "cpu_exact", "burn", (char *)NULL);
	die("exec");
}

static void run_memory(struct process_row *row)
{
	char *memory = malloc(MEMORY_BYTES);

	(void)row;
	if (!memory)
		die("malloc");
	for (long i = 0; i < MEMORY_BYTES; i += 4096)
		memory[i] = (char)i;
	burn_user(20 * MS);
	free(memory);
	burn_user(20 * MS);
}

static struct process_row *start(const char *kind, void (*run)(struct process_row *));

static void run_forker(struct process_row *row)
{
	struct process_row *children[2];
	struct rusage usage;

	burn_user(50 * MS);
	for (int i = 0; i < 2; i++)
		children[i] = start("forked", run_single);
	for (int i = 0; i < 2; i++)
		reap(children[i]);
	burn_user(50 * MS);
	if (getrusage(RUSAGE_CHILDREN, &usage))
		die("getrusage");
	row->children_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
}

static struct process_row *start(const char *kind, void (*run)(struct process_row *))
{
	struct process_row *row = add_process(kind, 0);
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		run(row);
		_exit(0);
	}
	row->pid = pid;
	return row;
}

static void wait_for_byte(int fd)
{
	char byte;

	if (read(fd, &byte, 1) < 0)
		die("read");
}

/* A process that is there before the recording and after it. One of its threads ends in between. */
static void run_older(struct process_row *row, int begin, int done, int end)
{
	pthread_t thread;
	int64_t before;

	burn_user(100 * MS);
	if (write(done, "", 1) != 1) /* from here on it rests until it is told to begin */
		die("write");
	wait_for_byte(begin);
	before = now(CLOCK_PROCESS_CPUTIME_ID);
	if (pthread_create(&thread, NULL, burn_and_tell, (void *)100))
		die("pthread_create");
	burn_user(150 * MS);
	pthread_join(thread, NULL);
	row->cpu_ns = now(CLOCK_PROCESS_CPUTIME_ID) - before;
	if (write(done, "", 1) != 1)
		die("write");
	wait_for_byte(end);
	_exit(0);
}

static void print_table(void)
{
	int processes = table->processes, threads = table->threads;

	printf("{\"processes\": [");
	for (int i = 0; i < processes; i++) {
		const struct process_row *row = &table->process[i];

		printf("%s\n{\"pid\": %d, \"kind\": \"%s\", \"alive\": %s, \"cpu_ns\": %lld",
		       i ? "," : "", row->pid, row->kind, row->alive ? "true" : "false",
		       (long long)row->cpu_ns);
		/* wait4 splits the sum with the children's. */
		if (!row->alive && !row->children_ns)
			printf(", \"user_ns\": %lld, \"system_ns\": %lld, \"max_rss_bytes\": %lld",
			       (long long)row->user_ns, (long long)row->system_ns,
			       (long long)row->max_rss_bytes);
		printf("}");
	}
	printf("],\n\"threads\": [");
	for (int i = 0; i < threads; i++)
		printf("%s\n{\"pid\": %d, \"tid\": %d, \"cpu_ns\": %lld}", i ? "," : "",
		       table->thread[i].pid, table->thread[i].tid,
		       (long long)table->thread[i].cpu_ns);
	printf("]}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static void (*const runs[])(struct process_row *) = {
		run_single, run_short,	      run_system, run_threads,
		run_exec,   run_leader_first, run_memory, run_forker,
	};
	static const char *const kinds[] = {"single", "short",	      "system", "threads",
					    "exec",   "leader-first", "memory", "forker"};
	struct process_row *rows[sizeof(runs) / sizeof(runs[0])];
	int begin[2], done[2], end[2];
	struct process_row *older;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "burn")) {
		burn_user(100 * MS);
		return 0;
	}
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (table == MAP_FAILED)
		die("mmap");
	if (pipe(begin) || pipe(done) || pipe(end))
		die("pipe");
	older = add_process("older", 0);
	older->alive = 1;
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		/* Else it would never see the end of the pipe. */
		close(end[1]);
		run_older(older, begin[0], done[1], end[0]);
	}
	older->pid = pid;
	wait_for_byte(done[0]);
	printf("ready\n");
	fflush(stdout);
	wait_for_byte(STDIN_FILENO);
	if (write(begin[1], "", 1) != 1)
		die("write");
	/* Two at a time: they also compete for CPUs, as they would in life. */
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		rows[i] = start(kinds[i], runs[i]);
		if (i % 2) {
			reap(rows[i - 1]);
			reap(rows[i]);
		}
	}
	wait_for_byte(done[0]);
	print_table();
	while (getchar() != EOF)
		;
	close(end[1]);
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}
