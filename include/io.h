/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File operations: which there are, and how they are counted and sent. Shared by BPF and the
 * recorder. */
#ifndef PIPESCOPE_IO_H
#define PIPESCOPE_IO_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* X(NAME, "name in the recording", "the system calls it stands for") */
#define PS_IO_OPS(X)                                                                               \
	X(NONE, "none", "")                                                                        \
	X(READ, "read", "read, pread64, readv, preadv, preadv2; recvfrom, recvmsg, recvmmsg")      \
	X(WRITE, "write", "write, pwrite64, writev, pwritev, pwritev2; sendto, sendmsg, sendmmsg") \
	X(OPEN, "open", "open, openat, openat2, creat")                                            \
	X(CLOSE, "close", "close")                                                                 \
	X(STAT, "stat", "stat, lstat, fstat, newfstatat, statx")                                   \
	X(ACCESS, "access", "access, faccessat, faccessat2")                                       \
	X(FSYNC, "fsync", "fsync, fdatasync")                                                      \
	X(READDIR, "readdir", "getdents, getdents64")                                              \
	X(UNLINK, "unlink", "unlink, unlinkat, rmdir")                                             \
	X(RENAME, "rename", "rename, renameat, renameat2: by its old path")                        \
	X(MKDIR, "mkdir", "mkdir, mkdirat")                                                        \
	X(SEEK, "seek", "lseek")                                                                   \
	X(READLINK, "readlink", "readlink, readlinkat")                                            \
	X(CONNECT, "connect", "connect")                                                           \
	X(ACCEPT, "accept", "accept, accept4: by the socket that listens")                         \
	X(SHUTDOWN, "shutdown", "shutdown")                                                        \
	X(COPY_FROM, "copy_from",                                                                  \
	  "sendfile, splice, copy_file_range: of what is read, with the time")                     \
	X(COPY_TO, "copy_to", "the same of what is written, without time")                         \
	X(ALLOCATE, "allocate", "fallocate")                                                       \
	X(TRUNCATE, "truncate", "truncate, ftruncate")                                             \
	X(MAP, "map", "mmap of a file")                                                            \
	X(FAULT, "fault", "page faults on mapped files")                                           \
	X(LINK, "link", "link, linkat: by the old path; symlink, symlinkat: by the new one")       \
	X(XATTR, "xattr", "getxattr, setxattr, listxattr, removexattr and their kin")              \
	X(LOCK, "lock", "flock, fcntl with F_SETLK, F_SETLKW and their kin; with the wait")        \
	X(SETATTR, "setattr", "chmod, chown, utimensat and their kin")                             \
	X(MAJOR_FAULT, "major_fault",                                                              \
	  "page faults on mapped files that had to wait for the page to be read")

enum ps_io_op {
#define X(name, text, meaning) PS_IO_##name,
	PS_IO_OPS(X)
#undef X
		PS_IO_OP_COUNT
};

/* How a call names its file; by system call number, set by the recorder before the load:
 * op | how << 5. */
enum ps_io_how {
	PS_IO_BY_DESCRIPTOR = 0, /* first argument */
	PS_IO_BY_PATH = 1, /* first argument, relative to the working directory */
	PS_IO_BY_PATH_AT =
		2, /* first: directory's descriptor, second: path; "" is the descriptor */
	PS_IO_BY_RESULT = 3 /* as BY_PATH; when it succeeds, the result is a descriptor */,
	PS_IO_BY_RESULT_AT = 4,
	/* First argument: a socket. Its remote, where it has none of its own, stands in the … */
	PS_IO_BY_ADDRESS = 5, /* … address: second argument of connect, fifth of all else */
	PS_IO_BY_MESSAGE = 6, /* … struct msghdr: second argument */
	PS_IO_BY_MESSAGES = 7, /* … first of so many struct mmsghdr: second argument */
	/* These come to one of the above once their arguments are sorted. */
	PS_IO_BY_SECOND_PATH, /* second argument */
	PS_IO_BY_LAST_PATH_AT, /* second: directory's descriptor, third: path */
	PS_IO_BY_MAP, /* fifth argument, unless the fourth says that there is no file */
	PS_IO_BY_LOCK, /* first argument, when the second says that it is about a lock */
	PS_IO_BY_COPY, /* first: of what is read, third: of what is written */
	PS_IO_BY_POSITION, /* as BY_DESCRIPTOR; fourth argument: where in the file */
	PS_IO_BY_SENDFILE, /* first: of what is written, second: of what is read */
	/* With PS_IO_NONE: not counted, but tells how long files are open. */
	PS_IO_BY_DUP, /* the result is another descriptor of what the first argument is */
	PS_IO_BY_DUP_TO /* the same; the second argument was another file before */
};
/* In the place of a position: that of the file itself. */
#define PS_IO_AT_FILE ~0ULL

#define PS_IO_IS_BY_SOCKET(how) ((how) >= PS_IO_BY_ADDRESS && (how) <= PS_IO_BY_MESSAGES)

#define PS_IO_CALL(op, how)  ((op) | (how) << 5)
#define PS_IO_CALL_OP(call)  ((call)&31)
#define PS_IO_CALL_HOW(call) ((call) >> 5)

enum ps_io_kind {
	PS_IO_FILE = 1, /* device, inode */
	PS_IO_PATH, /* hash of the path, and of the directory it is relative to */
	PS_IO_PIPE,
	PS_IO_SOCKET,
	PS_IO_OTHER, /* terminals, eventfds, … */
	PS_IO_DIRECTORY /* files for which the table had no room: their directory */
};

/* Who did what to which file, with which result. */
struct ps_io_key {
	__u64 epoch;
	__u64 file; /* inode number and generation; hash of the path, of the socket's remote; 0 */
	__u32 device; /* as the kernel encodes it: major << 20 | minor */
	__u16 error; /* errno; 0: it succeeded */
	__u8 op; /* enum ps_io_op; PS_IO_WAIT + class: waits in calls on the file */
	__u8 kind; /* enum ps_io_kind */
};

#define PS_IO_WAIT 128

/* The class of an operation that was chosen for the stacks. */
#define PS_IO_CLASS(op, kind)	((op) | (kind) << 8)
#define PS_IO_CLASS_OP(class)	((class) & 255)
#define PS_IO_CLASS_KIND(class) ((class) >> 8)

struct ps_io_sum {
	__u64 count;
	union {
		__u64 bytes;
		__u64 open_ns; /* PS_IO_CLOSE: from their open to their last close, of … */
	};
	__u64 ns;
	__u64 closed; /* … so many files; */
	__u64 longest_ns; /* of one of them */
};

#define PS_IO_SLOTS 4 /* files that a thread's latest sums are kept for */

/* Keys of one slice's map. The last ones are kept: so many for what is more than files that nobody
 * has seen yet; of these for what is more than directories; of these for whole file systems. */
#define PS_IO_SUMS		    65536
#define PS_IO_SUMS_KEPT_DIRECTORIES 24576
#define PS_IO_SUMS_KEPT_SEEN	    12288
#define PS_IO_SUMS_KEPT_DEVICES	    4096

/* The sums of a thread that are not in the map yet; key.op 0: empty. */
struct ps_io_slot {
	struct ps_io_key key;
	struct ps_io_sum sum;
};

/* One step of the hash of paths and stacks: the same in BPF and outside. */
static inline __u64 ps_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

#define PS_PATH_HASH(hash) ((hash) | 2) /* never 0 or 1 */

/* log2 histograms, by operation and file system. */
#define PS_IO_BUCKETS	  40
#define PS_IO_FILESYSTEMS 16 /* index 0: any other */
struct ps_io_histogram {
	__u32 ns[PS_IO_BUCKETS];
	__u32 bytes[PS_IO_BUCKETS];
};

/* A file or path at first sight: its name. */
#define PS_MAX_PATH	  2048 /* bytes; a power of 2 */
#define PS_MAX_COMPONENTS 48 /* of a file's path; deeper ones are cut at the front */
#define PS_MAX_NAME	  256

/* Operations whose result is a number of bytes. */
static inline int ps_io_moves_bytes(__u32 op)
{
	return op == PS_IO_READ || op == PS_IO_WRITE || op == PS_IO_COPY_FROM ||
	       op == PS_IO_COPY_TO;
}

static inline int ps_io_writes(__u32 op)
{
	return op == PS_IO_WRITE || op == PS_IO_COPY_TO;
}

/* The errno of a call's result; 0: it succeeded. Of a call that a signal has interrupted the kernel
 * tells itself how to make it again, by errors that no program sees: 512 (ERESTARTSYS) to 514 and
 * 516. */
static inline __u32 ps_io_error(__s64 result)
{
	if ((result <= -512 && result >= -514) || result == -516)
		return 4; /* EINTR */
	return result < 0 ? (__u32)-result : 0;
}

_Static_assert(PS_IO_OP_COUNT <= 32, "PS_IO_CALL() has 5 bits for them");
_Static_assert(sizeof(struct ps_io_key) == 24, "wire format");
_Static_assert(sizeof(struct ps_io_slot) == 64, "wire format");

#endif
