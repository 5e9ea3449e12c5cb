// SPDX-License-Identifier: GPL-2.0-or-later
/* many_libraries FOLDER COUNT MICROSECONDS: loads the libraries that many_libraries.sh made, says
 * "ready", and at a line on stdin begins to call a function of each in turn, with a little work and
 * a sleep of so many microseconds, until it is killed. Library n is called n % 16 + 4 functions
 * deep. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_LIBRARIES 1000
#define LOOPS	      1000000 /* a third of a millisecond or so */

typedef void call_function(unsigned int depth, unsigned long loops);

static call_function *functions[MAX_LIBRARIES];

static int load(const char *folder, int number)
{
	char name[4096];
	void *library;

	snprintf(name, sizeof(name), "%s/%d.so", folder, number);
	library = dlopen(name, RTLD_NOW);
	if (library)
		functions[number] = (call_function *)dlsym(library, "many_call");
	if (!functions[number])
		fprintf(stderr, "many_libraries: %s\n", dlerror());
	return functions[number] ? 0 : -1;
}

__attribute__((noinline, noclone)) static void call_library(int number)
{
	functions[number]((unsigned int)number % 16 + 4, LOOPS);
	__asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
	int count = argc == 4 ? atoi(argv[2]) : 0;
	char line;

	if (count < 1 || count > MAX_LIBRARIES)
		return 2;
	for (int i = 0; i < count; i++)
		if (load(argv[1], i))
			return 1;
	puts("ready");
	fflush(stdout);
	/* One byte: the others read from the same pipe. */
	if (read(STDIN_FILENO, &line, 1) != 1)
		return 1;
	for (int i = (int)getpid();; i++) {
		call_library(i % count);
		usleep((useconds_t)atoi(argv[3]));
	}
}
