// SPDX-License-Identifier: GPL-2.0-or-later
/* Touches very many files, and a few of them all the time:
 *
 *     many_files FOLDER [FILES]
 *
 * makes FILES (1,000,000) files in FOLDER, 1,000 in each of its folders, writes some bytes into
 * each, closes and stats it; after each hundred it reads all of the hot files. Prints one JSON
 * object: how many calls of each kind there were, and of each hot file. The folder is left as it
 * is. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PER_FOLDER 1000
#define HOT	   5
#define HOT_EVERY  100
#define HOT_BYTES  64

static void die(const char *what)
{
	fprintf(stderr, "many_files: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_or_die(const char *name)
{
	int descriptor = open(name, O_CREAT | O_RDWR, 0600);

	if (descriptor < 0)
		die(name);
	return descriptor;
}

int main(int argc, char **argv)
{
	uint64_t files = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, written = 0, rounds = 0;
	char name[64], bytes[256] = {0};
	struct stat found;
	int hot[HOT];

	if (argc < 2 || chdir(argv[1]))
		die("usage: many_files FOLDER [FILES]");
	for (int i = 0; i < HOT; i++) {
		snprintf(name, sizeof(name), "hot%d", i);
		hot[i] = open_or_die(name);
		if (write(hot[i], bytes, HOT_BYTES) != HOT_BYTES)
			die(name);
	}
	for (uint64_t i = 0; i < files; i++) {
		size_t size = i % 200;
		int descriptor;

		if (i % PER_FOLDER == 0) {
			snprintf(name, sizeof(name), "%06llu", (unsigned long long)i / PER_FOLDER);
			if (mkdir(name, 0700))
				die(name);
		}
		snprintf(name, sizeof(name), "%06llu/%03llu", (unsigned long long)i / PER_FOLDER,
			 (unsigned long long)i % PER_FOLDER);
		descriptor = open_or_die(name);
		if (write(descriptor, bytes, size) != (ssize_t)size)
			die(name);
		written += size;
		close(descriptor);
		if (syscall(SYS_newfstatat, AT_FDCWD, name, &found, 0))
			die(name);
		if (i % HOT_EVERY)
			continue;
		for (int j = 0; j < HOT; j++)
			if (pread(hot[j], bytes, HOT_BYTES, 0) != HOT_BYTES)
				die("hot file");
		rounds++;
	}
	printf("{\"files\": %llu, \"hot\": %d, \"reads_of_each\": %llu, \"bytes_of_each\": %llu,"
	       " \"folders\": %llu, \"written\": %llu}\n",
	       (unsigned long long)files, HOT, (unsigned long long)rounds,
	       (unsigned long long)rounds * HOT_BYTES,
	       (unsigned long long)(files + PER_FOLDER - 1) / PER_FOLDER,
	       (unsigned long long)written + HOT * HOT_BYTES);
	return 0;
}
