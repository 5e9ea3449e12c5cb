// SPDX-License-Identifier: GPL-2.0-or-later
/* unwind_kinds: of the files whose names stand on stdin, one a line: how many bytes of described
 * code have rules of each kind. What is no ELF file of this machine is passed over. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "unwind/rows.h"

#define KINDS 16 /* of four bits */

static int add_file(const char *path, uint64_t *bytes)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct unwind_rows rows;

	if (fd < 0 || unwind_rows__compile(fd, &rows))
		return 0;
	for (size_t i = 0; i + 1 < rows.count; i++)
		bytes[PS_UNWIND_CFA(rows.rows[i].rule)] +=
			rows.rows[i + 1].address - rows.rows[i].address;
	unwind_rows__clear(&rows);
	return 1;
}

int main(void)
{
	static const char *const registers[PS_CFA_OTHERS] = {"rax", "rbx", "rsi", "r9",
							     "r10", "r11", "r13"};
	uint64_t bytes[KINDS] = {0}, described = 0, other = 0;
	char path[4096];
	int files = 0;

	while (fgets(path, sizeof(path), stdin)) {
		path[strcspn(path, "\n")] = '\0';
		files += add_file(path, bytes);
	}
	for (unsigned int kind = PS_CFA_BOTTOM; kind < KINDS; kind++)
		described += bytes[kind];
	for (unsigned int i = 0; i < PS_CFA_OTHERS; i++)
		other += bytes[PS_CFA_RAX + i];
	if (!described)
		return 1;
	printf("%d files, %.1f MB of described code\n", files, (double)described / 1e6);
	printf("frame in another register than rsp and rbp: %.4f %%; of that",
	       1e2 * (double)other / (double)described);
	for (unsigned int i = 0; i < PS_CFA_OTHERS; i++)
		printf(" %s %.1f %%", registers[i],
		       other ? 1e2 * (double)bytes[PS_CFA_RAX + i] / (double)other : 0);
	printf("\nno row can say it: %.4f %%\n",
	       1e2 * (double)bytes[PS_CFA_UNSUPPORTED] / (double)described);
	return 0;
}
