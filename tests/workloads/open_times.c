// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that are open for times which it knows:
 *
 *     open_times FOLDER
 *
 * makes them in FOLDER and prints one JSON object: by name the number of times that a file was
 * open, and between which sums of nanoseconds all of these were (before open() to after close(),
 * and after open() to before close()), the same of the longest; "open" of those that still are.
 * Then it closes standard output and ends after some seconds. Its waits last milliseconds: what is
 * measured is which close counts. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LAST_SECONDS 6

struct span {
	int64_t least, most;
};

static const char *last_name = "";

static void die(const char *what)
{
	fprintf(stderr, "open_times: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void pause_ms(int ms)
{
	struct timespec time = {.tv_nsec = ms * 1000000L};

	while (nanosleep(&time, &time))
		;
}

/* least: since before, most: since after; until ends both. */
static int open_at(const char *name, struct span *ret_opened)
{
	int fd;

	ret_opened->most = now();
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ret_opened->least = now();
	if (fd < 0)
		die(name);
	return fd;
}

static struct span close_at(int fd, struct span opened)
{
	int64_t before = now();

	if (close(fd))
		die("close");
	return (struct span){before - opened.least, now() - opened.most};
}

static void print(const char *name, int count, struct span sum, struct span longest, bool open)
{
	printf("%s\n  {\"name\": \"%s\", \"count\": %d, \"sum\": [%lld, %lld], \"longest\": [%lld, "
	       "%lld], "
	       "\"open\": %s}",
	       *last_name ? "," : "", name, count, (long long)sum.least, (long long)sum.most,
	       (long long)longest.least, (long long)longest.most, open ? "true" : "false");
	last_name = name;
}

static void once(const char *name, struct span span)
{
	print(name, 1, span, span, false);
}

static void wait_child(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || status)
		die("child");
}

/* Opened and closed many times, for different times. */
static void test_repeated(void)
{
	struct span sum = {0}, longest = {0}, opened, one;

	for (int i = 0; i < 40; i++) {
		int fd = open_at("repeated", &opened);

		if (i % 8 == 0)
			pause_ms(i == 16 ? 12 : 2);
		one = close_at(fd, opened);
		sum.least += one.least;
		sum.most += one.most;
		if (one.least > longest.least)
			longest = one;
	}
	print("repeated", 40, sum, longest, false);
}

/* Only the last of three descriptors closes it; the first ones go by dup2() and close(). */
static void test_duplicated(void)
{
	struct span opened, other;
	int fd = open_at("duplicated", &opened), copy = dup(fd), third = fcntl(fd, F_DUPFD, 50), to;

	close(fd);
	pause_ms(4);
	to = open_at("replaced", &other);
	pause_ms(4);
	other = (struct span){now() - other.least, other.most};
	if (dup2(copy, to) != to)
		die("dup2");
	other.most = now() - other.most;
	once("replaced", other);
	close(copy);
	close(to);
	pause_ms(4);
	once("duplicated", close_at(third, opened));
}

/* The parent closes, the child later. */
static void test_forked(void)
{
	struct span opened;
	int fd = open_at("forked", &opened), pipes[2];
	char text[64] = "";
	pid_t child;

	if (pipe(pipes))
		die("pipe");
	child = fork();
	if (!child) {
		struct span span;

		pause_ms(15);
		span = close_at(fd, opened);
		dprintf(pipes[1], "%lld %lld", (long long)span.least, (long long)span.most);
		_exit(0);
	}
	close(fd);
	wait_child(child);
	if (read(pipes[0], text, sizeof(text) - 1) <= 0)
		die("read");
	opened.least = strtoll(text, NULL, 10);
	opened.most = strtoll(strchr(text, ' '), NULL, 10);
	once("forked", opened);
	close(pipes[0]);
	close(pipes[1]);
}

/* A child that ends, or begins another program, does not close what its parent has. */
static void test_inherited(void)
{
	struct span opened;
	int fd = open_at("inherited", &opened);
	pid_t child = fork();

	if (!child)
		_exit(0);
	wait_child(child);
	child = fork();
	if (!child) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	wait_child(child);
	pause_ms(3);
	once("inherited", close_at(fd, opened));
}

/* The end of the process closes it. */
static void test_left(void)
{
	struct span opened;
	int64_t least, most;
	int pipes[2];
	pid_t child;

	if (pipe(pipes))
		die("pipe");
	child = fork();
	if (!child) {
		struct span times[2];

		open_at("left", &times[0]);
		if (dup(open_at("left twice", &times[1])) < 0)
			die("dup");
		pause_ms(6);
		for (int i = 0; i < 2; i++) {
			struct span one = {now() - times[i].least, times[i].most};

			if (write(pipes[1], &one, sizeof(one)) != sizeof(one))
				_exit(1);
		}
		_exit(0);
	}
	wait_child(child);
	for (int i = 0; i < 2; i++) {
		if (read(pipes[0], &opened, sizeof(opened)) != sizeof(opened))
			die("read");
		least = opened.least;
		most = now() - opened.most;
		once(i ? "left twice" : "left", (struct span){least, most});
	}
	close(pipes[0]);
	close(pipes[1]);
}

/* A mapping stays behind the close; another descriptor keeps the file open. */
static void test_mapped(void)
{
	struct span opened;
	int fd = open_at("mapped", &opened), copy;
	void *memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	pause_ms(3);
	once("mapped", close_at(fd, opened));
	fd = open_at("mapped and duplicated", &opened);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
		die("mmap");
	close(fd);
	pause_ms(5);
	once("mapped and duplicated", close_at(copy, opened));
}

int main(int argc, char **argv)
{
	struct span opened, also;

	if (argc != 2 || chdir(argv[1]))
		die("usage: open_times FOLDER");
	printf("{\"files\": [");
	test_repeated();
	test_duplicated();
	test_forked();
	test_inherited();
	test_left();
	test_mapped();
	open_at("still", &opened);
	open_at("still twice", &also);
	open_at("still twice", &also);
	print("still", 1, (struct span){0, opened.most}, (struct span){0, opened.most}, true);
	print("still twice", 2, (struct span){0, also.most}, (struct span){0, also.most}, true);
	printf("\n], \"now\": %lld}\n", (long long)now());
	fclose(stdout);
	sleep(LAST_SECONDS);
	return 0;
}
