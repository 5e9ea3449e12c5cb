// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/wait_kinds.h"

#include <stddef.h>
#include <sys/syscall.h>

static const char *const names[PS_SYSCALL_LIMIT] = {
#include "syscall_names.inc"
};

static const struct {
	uint16_t number;
	uint8_t kind;
} table[] = {
	{SYS_futex, PS_KIND_LOCK},
	{SYS_flock, PS_KIND_LOCK},
	{SYS_fcntl, PS_KIND_LOCK}, /* F_SETLKW is the only command that waits */
	{SYS_nanosleep, PS_KIND_SLEEP},
	{SYS_clock_nanosleep, PS_KIND_SLEEP},
	{SYS_wait4, PS_KIND_CHILD},
	{SYS_waitid, PS_KIND_CHILD},
	{SYS_epoll_pwait, PS_KIND_POLL},
	{SYS_pselect6, PS_KIND_SELECT},
	{SYS_ppoll, PS_KIND_POLL_COUNT},
	{SYS_accept, PS_KIND_SOCKET},
	{SYS_accept4, PS_KIND_SOCKET},
	{SYS_connect, PS_KIND_SOCKET},
	{SYS_sendto, PS_KIND_SOCKET},
	{SYS_sendmsg, PS_KIND_SOCKET},
	{SYS_sendmmsg, PS_KIND_SOCKET},
	{SYS_recvfrom, PS_KIND_SOCKET},
	{SYS_recvmsg, PS_KIND_SOCKET},
	{SYS_recvmmsg, PS_KIND_SOCKET},
	{SYS_read, PS_KIND_DESCRIPTOR},
	{SYS_write, PS_KIND_DESCRIPTOR},
	{SYS_pread64, PS_KIND_DESCRIPTOR},
	{SYS_pwrite64, PS_KIND_DESCRIPTOR},
	{SYS_readv, PS_KIND_DESCRIPTOR},
	{SYS_writev, PS_KIND_DESCRIPTOR},
	{SYS_preadv, PS_KIND_DESCRIPTOR},
	{SYS_pwritev, PS_KIND_DESCRIPTOR},
	{SYS_preadv2, PS_KIND_DESCRIPTOR},
	{SYS_pwritev2, PS_KIND_DESCRIPTOR},
	{SYS_splice, PS_KIND_DESCRIPTOR},
	{SYS_vmsplice, PS_KIND_DESCRIPTOR},
	{SYS_tee, PS_KIND_DESCRIPTOR},
	{SYS_sendfile, PS_KIND_DESCRIPTOR},
	{SYS_copy_file_range, PS_KIND_FILE},
	{SYS_openat, PS_KIND_FILE},
	{SYS_close, PS_KIND_FILE},
	{SYS_fsync, PS_KIND_FILE},
	{SYS_fdatasync, PS_KIND_FILE},
	{SYS_sync_file_range, PS_KIND_FILE},
	{SYS_sync, PS_KIND_FILE},
	{SYS_syncfs, PS_KIND_FILE},
	{SYS_fallocate, PS_KIND_FILE},
	{SYS_truncate, PS_KIND_FILE},
	{SYS_ftruncate, PS_KIND_FILE},
	{SYS_getdents64, PS_KIND_FILE},
	{SYS_newfstatat, PS_KIND_FILE},
	{SYS_statx, PS_KIND_FILE},
	{SYS_fstat, PS_KIND_FILE},
	{SYS_faccessat, PS_KIND_FILE},
	{SYS_unlinkat, PS_KIND_FILE},
	{SYS_mkdirat, PS_KIND_FILE},
	{SYS_linkat, PS_KIND_FILE},
	{SYS_symlinkat, PS_KIND_FILE},
	{SYS_readlinkat, PS_KIND_FILE},
	{SYS_statfs, PS_KIND_FILE},
	{SYS_fstatfs, PS_KIND_FILE},
	{SYS_execve, PS_KIND_FILE},
#ifdef SYS_open /* calls that newer machines no longer have */
	{SYS_open, PS_KIND_FILE},
	{SYS_creat, PS_KIND_FILE},
	{SYS_stat, PS_KIND_FILE},
	{SYS_lstat, PS_KIND_FILE},
	{SYS_access, PS_KIND_FILE},
	{SYS_unlink, PS_KIND_FILE},
	{SYS_rename, PS_KIND_FILE},
	{SYS_mkdir, PS_KIND_FILE},
	{SYS_rmdir, PS_KIND_FILE},
	{SYS_link, PS_KIND_FILE},
	{SYS_symlink, PS_KIND_FILE},
	{SYS_readlink, PS_KIND_FILE},
	{SYS_getdents, PS_KIND_FILE},
	{SYS_epoll_wait, PS_KIND_POLL},
	{SYS_select, PS_KIND_SELECT},
	{SYS_poll, PS_KIND_POLL_COUNT},
#endif
#ifdef SYS_renameat
	{SYS_renameat, PS_KIND_FILE},
#endif
#ifdef SYS_renameat2
	{SYS_renameat2, PS_KIND_FILE},
#endif
#ifdef SYS_faccessat2
	{SYS_faccessat2, PS_KIND_FILE},
#endif
#ifdef SYS_openat2
	{SYS_openat2, PS_KIND_FILE},
#endif
#ifdef SYS_epoll_pwait2
	{SYS_epoll_pwait2, PS_KIND_POLL},
#endif
#ifdef SYS_futex_waitv
	{SYS_futex_waitv, PS_KIND_LOCK},
#endif
};

void wait_kinds__fill(uint8_t kinds[PS_SYSCALL_LIMIT])
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		kinds[table[i].number] = table[i].kind;
}

const char *syscall__name(uint32_t number)
{
	return number < PS_SYSCALL_LIMIT ? names[number] : NULL;
}
