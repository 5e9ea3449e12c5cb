// SPDX-License-Identifier: GPL-2.0-or-later
/* unwind_compile ROUNDS FILE...: compiles the call-frame information of all files, and prints per
 * round the rows and the nanoseconds of CPU time. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "unwind/rows.h"

static uint64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int main(int count, char **arguments)
{
	int rounds = count > 2 ? atoi(arguments[1]) : 0;

	if (rounds < 1) {
		fprintf(stderr, "Usage: unwind_compile ROUNDS FILE...\n");
		return 2;
	}
	while (rounds--) {
		uint64_t start = cpu_ns(), rows = 0;

		for (int i = 2; i < count; i++) {
			_cleanup_close_ int fd = open(arguments[i], O_RDONLY | O_CLOEXEC);
			struct unwind_rows compiled;

			if (fd < 0 || unwind_rows__compile(fd, &compiled)) {
				fprintf(stderr, "unwind_compile: %s\n", arguments[i]);
				return 1;
			}
			rows += compiled.count;
			unwind_rows__clear(&compiled);
		}
		printf("%" PRIu64 " %" PRIu64 "\n", rows, cpu_ns() - start);
	}
	return 0;
}
