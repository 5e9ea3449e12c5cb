// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

/* Strings are read in pieces that never cross this boundary, so that a string at the very end of
 * a mapping can be read whole. */
#define STRING_PIECE 256

static int process_read(const struct memory *memory, uint64_t address, void *destination,
			size_t size)
{
	const struct process_memory *process = (const void *)memory;
	struct iovec local = {.iov_base = destination, .iov_len = size};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
	ssize_t got;

	if (!size)
		return 0;
	got = process_vm_readv(process->pid, &local, 1, &remote, 1, 0);
	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EFAULT;
}

struct process_memory process_memory__of(pid_t pid)
{
	return (struct process_memory){.memory = {.read = process_read}, .pid = pid};
}

int64_t process_memory__resident_bytes(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	long long size, resident;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (file__read(path, 256, &text, NULL) || sscanf(text, "%lld %lld", &size, &resident) != 2)
		return 0;
	return resident * sysconf(_SC_PAGESIZE);
}

int memory__read_string(const struct memory *memory, uint64_t address, char *destination,
			size_t capacity)
{
	size_t filled = 0;

	while (filled < capacity) {
		size_t piece = STRING_PIECE - (address + filled) % STRING_PIECE;
		int err;

		if (piece > capacity - filled)
			piece = capacity - filled;
		err = memory__read(memory, address + filled, destination + filled, piece);
		if (err)
			return err;
		if (memchr(destination + filled, '\0', piece))
			return 0;
		filled += piece;
	}
	return -ENAMETOOLONG;
}
