// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads files of 1 MiB in known orders: read_order FOLDER. Prints "NAME SEQUENTIAL STRIDED RANDOM
 * AGAIN" for each, AGAIN being bytes asked for / distinct bytes. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE  (1 << 20)
#define BLOCK 4096
#define COUNT (SIZE / BLOCK)

static char block[BLOCK];

static int make(const char *folder, const char *name)
{
	char path[4096];
	int descriptor;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	descriptor = open(path, O_RDWR | O_CREAT, 0644);
	for (int i = 0; i < COUNT; i++)
		if (write(descriptor, block, BLOCK) != BLOCK)
			exit(1);
	lseek(descriptor, 0, SEEK_SET);
	return descriptor;
}

static void read_at(int descriptor, long at)
{
	if (pread(descriptor, block, BLOCK, at) != BLOCK)
		exit(1);
}

/* A file that has 13 bytes at first, and is read as it grows, each byte once. */
static int grow(const char *folder, const char *name)
{
	char path[4096];
	int writer, reader;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	writer = open(path, O_WRONLY | O_CREAT, 0644);
	reader = open(path, O_RDONLY);
	if (write(writer, block, 13) != 13 || read(reader, block, BLOCK) != 13)
		exit(1);
	for (int i = 0; i < COUNT; i++)
		if (write(writer, block, BLOCK) != BLOCK || read(reader, block, BLOCK) != BLOCK)
			exit(1);
	close(writer);
	return reader;
}

int main(int argc, char **argv)
{
	uint32_t state = 12345, before = 0, stride = 0;
	int descriptor, others = 0;

	if (argc < 2)
		return 2;
	descriptor = make(argv[1], "sequential");
	for (int i = 0; i < COUNT; i++)
		if (read(descriptor, block, BLOCK) != BLOCK)
			return 1;
	printf("sequential %d 0 0 1\n", COUNT);
	close(descriptor);

	descriptor = make(argv[1], "by position");
	for (int i = 0; i < COUNT; i++)
		read_at(descriptor, (long)i * BLOCK);
	printf("by position %d 0 0 1\n", COUNT);
	close(descriptor);

	/* The first of all is at 0, the second one only begins the stride. */
	descriptor = make(argv[1], "strided");
	for (int i = 0; i < COUNT; i += 4)
		read_at(descriptor, (long)i * BLOCK);
	printf("strided 1 %d 1 1\n", COUNT / 4 - 2);
	close(descriptor);

	descriptor = make(argv[1], "backwards");
	for (int i = COUNT - 1; i >= 0; i--)
		read_at(descriptor, (long)i * BLOCK);
	printf("backwards 0 %d 1 1\n", COUNT - 2);
	close(descriptor);

	/* Never behind the last one, nor as far from it as that one was from its own last. */
	descriptor = make(argv[1], "random");
	read_at(descriptor, 0);
	for (int i = 1; i < 2000; i++) {
		uint32_t at;

		do {
			state = state * 1664525 + 1013904223;
			at = (state >> 10) % COUNT;
		} while (at == before + 1 || at - before == stride);
		stride = at - before;
		before = at;
		read_at(descriptor, (long)at * BLOCK);
	}
	printf("random 1 0 1999 7.8\n");
	close(descriptor);

	/* What else is done with the file between does not matter. */
	descriptor = make(argv[1], "with others between");
	read_at(descriptor, 0);
	for (int i = COUNT - 1, step = 3; i > 0; i -= step, step = step == 3 ? 5 : 3) {
		struct stat status;

		if (fstat(descriptor, &status) || flock(descriptor, LOCK_EX) ||
		    flock(descriptor, LOCK_UN))
			return 1;
		read_at(descriptor, (long)i * BLOCK);
		others++;
	}
	printf("with others between 1 0 %d 1\n", others);
	close(descriptor);

	descriptor = grow(argv[1], "growing");
	printf("growing %d 0 0 1\n", COUNT + 1);
	close(descriptor);

	descriptor = make(argv[1], "five times");
	for (int times = 0; times < 5; times++)
		for (int i = 0; i < COUNT; i++)
			read_at(descriptor, (long)i * BLOCK);
	printf("five times %d 0 4 5\n", 5 * COUNT - 4);
	close(descriptor);

	descriptor = make(argv[1], "its head");
	for (int i = 0; i < 640; i++)
		read_at(descriptor, (long)(i % 64) * BLOCK);
	printf("its head %d 0 9 10\n", 640 - 9);
	close(descriptor);
	return 0;
}
