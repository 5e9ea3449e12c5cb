// SPDX-License-Identifier: GPL-2.0-or-later
/* alloc_sizes FAILING: waits for a line, then asks for BLOCKS blocks of malloc and of new each, and for more
 * than any process has room for, FAILING times with 2^46 bytes. Prints how many blocks of SIZE bytes there
 * were. No other block here is of 16 to 32 KiB. */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

static const size_t SIZE = 20000;
static const int BLOCKS = 500;

static void *volatile kept;

static void ask(size_t bytes)
{
	kept = malloc(bytes);
	free(kept);
}

int main(int, char **arguments)
{
	volatile size_t large = (size_t)1 << 62, factor = (size_t)1 << 40;
	void *block = malloc(SIZE);
	char line[16];

	kept = block;
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	for (int i = 0; i < BLOCKS; i++) {
		kept = malloc(SIZE);
		kept = new char[SIZE];
	}
	ask(large);
	ask((size_t)1 << 47);
	kept = calloc(factor, factor);
	kept = calloc(large, 8); /* 2^65: nothing, if it were cut off */
	kept = realloc(block, large);
	free(block); /* it is still there */
	for (int i = atoi(arguments[1]); i > 0; i--)
		ask((size_t)1 << 46);
	printf("%d\n", 2 * BLOCKS);
	fflush(stdout);
	return !fgets(line, sizeof(line), stdin);
}
