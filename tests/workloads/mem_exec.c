// SPDX-License-Identifier: GPL-2.0-or-later
/* mem_exec MIB...: maps and touches so many MiB, and begins itself again with the next number, from
 * a second thread; the last one waits for the end of its input. Each prints its MiB and the page
 * faults that the process has had so far. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static char **arguments;

static void *go_on(void *unused)
{
	(void)unused;
	arguments[1] = arguments[0];
	execv("/proc/self/exe", arguments + 1);
	_exit(1);
}

int main(int count, char **given)
{
	size_t size = strtoul(given[1], NULL, 10) << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rusage used;
	pthread_t thread;

	arguments = given;
	if (memory == MAP_FAILED)
		return 1;
	madvise(memory, size, MADV_NOHUGEPAGE);
	memset(memory, 1, size);
	getrusage(RUSAGE_SELF, &used);
	printf("%s %ld\n", given[1], used.ru_minflt + used.ru_majflt);
	fflush(stdout);
	if (count == 2)
		return getchar() != EOF;
	if (pthread_create(&thread, NULL, go_on, NULL))
		return 1;
	pthread_join(thread, NULL);
	return 1;
}
