/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading another address space: a live process, or bytes saved by a test. Nothing ever writes. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct memory {
	/* Copies size bytes at address into destination: 0, or -EFAULT when not all of them can be
	 * read, -ESRCH when the process is gone, -EPERM. */
	int (*read)(const struct memory *memory, uint64_t address, void *destination, size_t size);
};

struct process_memory {
	struct memory memory; /* first: a struct memory * is this object */
	pid_t pid;
};

/* Memory of a live process, by process_vm_readv: never ptrace, never a stop. */
struct process_memory process_memory__of(pid_t pid);

/* Bytes of a process that are in memory; 0 for kernel threads, and when it is gone. Source:
 * /proc/PID/statm. */
int64_t process_memory__resident_bytes(pid_t pid);

static inline int memory__read(const struct memory *memory, uint64_t address, void *destination,
			       size_t size)
{
	return memory->read(memory, address, destination, size);
}

/* A NUL-terminated string of at most capacity - 1 bytes; -ENAMETOOLONG when longer. */
int memory__read_string(const struct memory *memory, uint64_t address, char *destination,
			size_t capacity);

#endif
