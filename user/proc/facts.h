/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc tells of one process, for those that ran before anybody watched. Every function
 * returns -ESRCH when the process is gone. */
#ifndef PROC_FACTS_H
#define PROC_FACTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The command line, at most `limit` bytes, NUL between words; malloc'ed. Empty for kernel threads.
 */
int facts__arguments(pid_t pid, size_t limit, char **ret_arguments, size_t *ret_size);

/* NAME=value strings of the variables in names[], NUL behind each; malloc'ed. What else the
 * environment holds (secrets among it) is wiped from memory before this returns. */
int facts__environment(pid_t pid, const char *const *names, size_t name_count, char **ret_text,
		       size_t *ret_size);

/* The control group's path: that of cgroup v2, or the first of v1 that is not the root; malloc'ed.
 */
int facts__cgroup(pid_t pid, char **ret_path);

/* Where the code of its program begins; -EACCES: the kernel does not tell. */
int facts__start_code(pid_t pid, uint64_t *ret_address);

/* The command's name; "[unknown]" when the process is gone. */
void facts__comm(pid_t pid, char *ret_comm, size_t size);

/* High-water mark of the resident set, bytes; -ENODATA for kernel threads. */
int facts__max_rss(pid_t pid, uint64_t *ret_bytes);

#endif
