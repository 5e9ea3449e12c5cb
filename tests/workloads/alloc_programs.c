// SPDX-License-Identifier: GPL-2.0-or-later
/* alloc_programs ROUNDS STAGES PLUGIN: a process that begins STAGES programs, one after the other,
 * this one each time. Each allocates 10 blocks of SIZE bytes in each of its ROUNDS, some 10 ms
 * long, while a thread loads and unloads PLUGIN, and while children come, begin another program and
 * go. The last one prints how many blocks there were in all. No other block here is of 512 to 1,023
 * bytes. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	   600
#define IN_ROUND   10
#define BETWEEN	   10 /* rounds between two children */
#define WORK	   400000
#define CHILD_US   250000
#define PLUGIN_US  5000
#define ROUND_US   8000
#define STATUS_LEN 32

static atomic_bool over;

static void *load(void *plugin)
{
	while (!over) {
		void *handle = dlopen(plugin, RTLD_NOW);

		usleep(PLUGIN_US);
		if (handle)
			dlclose(handle);
		usleep(PLUGIN_US);
	}
	return NULL;
}

static void begin_child(char *program)
{
	if (fork())
		return;
	usleep(CHILD_US);
	execl(program, program, "leaf", NULL);
	_exit(1);
}

static void round_of_blocks(void)
{
	volatile unsigned work = 0;

	for (int i = 0; i < IN_ROUND; i++) {
		char *volatile block = malloc(SIZE);

		block[0] = 1;
		free(block);
	}
	for (unsigned i = 0; i < WORK; i++)
		work += i;
	usleep(ROUND_US);
}

int main(int argc, char **argv)
{
	int rounds = argc > 3 ? atoi(argv[1]) : 0, stages = argc > 3 ? atoi(argv[2]) : 0;
	long before = argc > 4 ? atol(argv[4]) : 0;
	char left[STATUS_LEN], blocks[STATUS_LEN];
	pthread_t loader;

	if (argc == 2 && !strcmp(argv[1], "leaf"))
		return 0;
	if (rounds < 1 || stages < 1 || pthread_create(&loader, NULL, load, argv[3]))
		return 2;
	for (int i = 0; i < rounds; i++) {
		if (i % BETWEEN == 0)
			begin_child(argv[0]);
		round_of_blocks();
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	over = true;
	pthread_join(loader, NULL);
	while (wait(NULL) > 0)
		;
	before += (long)rounds * IN_ROUND;
	if (stages == 1) {
		printf("%ld\n", before);
		return 0;
	}
	snprintf(left, sizeof(left), "%d", stages - 1);
	snprintf(blocks, sizeof(blocks), "%ld", before);
	execl(argv[0], argv[0], argv[1], left, argv[3], blocks, NULL);
	return 1;
}
