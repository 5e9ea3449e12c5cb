// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/line_jail.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CPU_S   30
#define MANY_FILES  65536
#define MAX_ALLOWED 32

#ifdef __SANITIZE_ADDRESS__
#define MAX_MEMORY RLIM_INFINITY /* it reserves terabytes */
#else
#define MAX_MEMORY (1ull << 30)
#endif

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#error "no seccomp filter for this architecture"
#endif

void line_jail__close_from(int first)
{
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, first, ~0U, 0))
		return;
#endif
	for (int fd = first; fd < MANY_FILES; fd++)
		close(fd);
}

static int limit(int resource, rlim_t most)
{
	struct rlimit value = {.rlim_cur = most, .rlim_max = most};

	return setrlimit((unsigned int)resource, &value) ? -errno : 0;
}

static int filter_calls(void)
{
	static const unsigned int allowed[] = {
		SYS_read,	 SYS_pread64,	    SYS_write,	     SYS_lseek,
		SYS_fstat,	 SYS_newfstatat,    SYS_fcntl,	     SYS_close,
		SYS_mmap,	 SYS_munmap,	    SYS_mremap,	     SYS_mprotect,
		SYS_madvise,	 SYS_brk,	    SYS_futex,	     SYS_getrandom,
		SYS_exit_group,	 SYS_rt_sigreturn,  SYS_sigaltstack, SYS_rt_sigprocmask,
		SYS_sched_yield, SYS_clock_gettime,
	};
	const size_t count = sizeof(allowed) / sizeof(allowed[0]);
	struct sock_filter code[MAX_ALLOWED + 6] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = {.filter = code};
	size_t size = 4;

	_Static_assert(sizeof(allowed) / sizeof(allowed[0]) <= MAX_ALLOWED, "room in the filter");
	for (size_t i = 0; i < count; i++)
		code[size++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
							    (unsigned char)(count - i), 0);
	code[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	code[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)size;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		return -errno;
	return 0;
}

int line_jail__enter(void)
{
	int err = limit(RLIMIT_CORE, 0);

	err = err ?: limit(RLIMIT_CPU, MAX_CPU_S);
	err = err ?: limit(RLIMIT_DATA, MAX_MEMORY);
	if (err)
		return err;
	capng_clear(CAPNG_SELECT_BOTH);
	/* The bounding set needs a capability to be changed; without execve it has no meaning. */
	if (capng_apply(CAPNG_SELECT_CAPS))
		return -EPERM;
	return filter_calls();
}
