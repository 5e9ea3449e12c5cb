// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/io_calls.h"

#include <stddef.h>
#include <sys/syscall.h>

static const struct {
	uint16_t number;
	uint8_t call;
} table[] = {
	{SYS_read, PS_IO_CALL(PS_IO_READ, PS_IO_BY_DESCRIPTOR)},
	{SYS_pread64, PS_IO_CALL(PS_IO_READ, PS_IO_BY_DESCRIPTOR)},
	{SYS_readv, PS_IO_CALL(PS_IO_READ, PS_IO_BY_DESCRIPTOR)},
	{SYS_preadv, PS_IO_CALL(PS_IO_READ, PS_IO_BY_DESCRIPTOR)},
	{SYS_preadv2, PS_IO_CALL(PS_IO_READ, PS_IO_BY_DESCRIPTOR)},
	{SYS_write, PS_IO_CALL(PS_IO_WRITE, PS_IO_BY_DESCRIPTOR)},
	{SYS_pwrite64, PS_IO_CALL(PS_IO_WRITE, PS_IO_BY_DESCRIPTOR)},
	{SYS_writev, PS_IO_CALL(PS_IO_WRITE, PS_IO_BY_DESCRIPTOR)},
	{SYS_pwritev, PS_IO_CALL(PS_IO_WRITE, PS_IO_BY_DESCRIPTOR)},
	{SYS_pwritev2, PS_IO_CALL(PS_IO_WRITE, PS_IO_BY_DESCRIPTOR)},
	{SYS_openat, PS_IO_CALL(PS_IO_OPEN, PS_IO_BY_RESULT_AT)},
	{SYS_close, PS_IO_CALL(PS_IO_CLOSE, PS_IO_BY_DESCRIPTOR)},
	{SYS_fstat, PS_IO_CALL(PS_IO_STAT, PS_IO_BY_DESCRIPTOR)},
	{SYS_newfstatat, PS_IO_CALL(PS_IO_STAT, PS_IO_BY_PATH_AT)},
	{SYS_statx, PS_IO_CALL(PS_IO_STAT, PS_IO_BY_PATH_AT)},
	{SYS_faccessat, PS_IO_CALL(PS_IO_ACCESS, PS_IO_BY_PATH_AT)},
	{SYS_fsync, PS_IO_CALL(PS_IO_FSYNC, PS_IO_BY_DESCRIPTOR)},
	{SYS_fdatasync, PS_IO_CALL(PS_IO_FSYNC, PS_IO_BY_DESCRIPTOR)},
	{SYS_getdents64, PS_IO_CALL(PS_IO_READDIR, PS_IO_BY_DESCRIPTOR)},
	{SYS_unlinkat, PS_IO_CALL(PS_IO_UNLINK, PS_IO_BY_PATH_AT)},
	{SYS_mkdirat, PS_IO_CALL(PS_IO_MKDIR, PS_IO_BY_PATH_AT)},
	{SYS_lseek, PS_IO_CALL(PS_IO_SEEK, PS_IO_BY_DESCRIPTOR)},
	{SYS_readlinkat, PS_IO_CALL(PS_IO_READLINK, PS_IO_BY_PATH_AT)},
#ifdef SYS_open /* calls that newer machines no longer have */
	{SYS_open, PS_IO_CALL(PS_IO_OPEN, PS_IO_BY_RESULT)},
	{SYS_creat, PS_IO_CALL(PS_IO_OPEN, PS_IO_BY_RESULT)},
	{SYS_stat, PS_IO_CALL(PS_IO_STAT, PS_IO_BY_PATH)},
	{SYS_lstat, PS_IO_CALL(PS_IO_STAT, PS_IO_BY_PATH)},
	{SYS_access, PS_IO_CALL(PS_IO_ACCESS, PS_IO_BY_PATH)},
	{SYS_getdents, PS_IO_CALL(PS_IO_READDIR, PS_IO_BY_DESCRIPTOR)},
	{SYS_unlink, PS_IO_CALL(PS_IO_UNLINK, PS_IO_BY_PATH)},
	{SYS_rmdir, PS_IO_CALL(PS_IO_UNLINK, PS_IO_BY_PATH)},
	{SYS_rename, PS_IO_CALL(PS_IO_RENAME, PS_IO_BY_PATH)},
	{SYS_mkdir, PS_IO_CALL(PS_IO_MKDIR, PS_IO_BY_PATH)},
	{SYS_readlink, PS_IO_CALL(PS_IO_READLINK, PS_IO_BY_PATH)},
#endif
#ifdef SYS_renameat
	{SYS_renameat, PS_IO_CALL(PS_IO_RENAME, PS_IO_BY_PATH_AT)},
#endif
#ifdef SYS_renameat2
	{SYS_renameat2, PS_IO_CALL(PS_IO_RENAME, PS_IO_BY_PATH_AT)},
#endif
#ifdef SYS_faccessat2
	{SYS_faccessat2, PS_IO_CALL(PS_IO_ACCESS, PS_IO_BY_PATH_AT)},
#endif
#ifdef SYS_openat2
	{SYS_openat2, PS_IO_CALL(PS_IO_OPEN, PS_IO_BY_RESULT_AT)},
#endif
};

void io_calls__fill(uint8_t calls[PS_SYSCALL_LIMIT])
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		calls[table[i].number] = table[i].call;
}
