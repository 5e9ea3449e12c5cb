// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations on files and sockets that are made through io_uring: known when they are complete.
 * They complete in a thread of the process that asked for them, or in one that the kernel runs for
 * it and that counts as that process's, so that current tells whose they are.
 *
 * Kernels before 5.19 do not tell at completion which request it was: there nothing is counted. */
#include "compat.bpf.h"
#include "files.bpf.h"
#include "io.bpf.h"

/* enum io_uring_op of the user's interface; fixed numbers. */
enum uring_op {
	URING_READV = 1,
	URING_WRITEV = 2,
	URING_FSYNC = 3,
	URING_READ_FIXED = 4,
	URING_WRITE_FIXED = 5,
	URING_SYNC_FILE_RANGE = 8,
	URING_SENDMSG = 9,
	URING_RECVMSG = 10,
	URING_ACCEPT = 13,
	URING_CONNECT = 16,
	URING_FALLOCATE = 17,
	URING_OPENAT = 18,
	URING_CLOSE = 19,
	URING_STATX = 21,
	URING_READ = 22,
	URING_WRITE = 23,
	URING_SEND = 26,
	URING_RECV = 27,
	URING_OPENAT2 = 28,
	URING_SPLICE = 30,
	URING_SHUTDOWN = 34,
	URING_RENAMEAT = 35,
	URING_UNLINKAT = 36,
	URING_MKDIRAT = 37,
	URING_SYMLINKAT = 38,
	URING_LINKAT = 39,
	URING_FSETXATTR = 41,
	URING_SETXATTR = 42,
	URING_FGETXATTR = 43,
	URING_GETXATTR = 44,
	URING_SEND_ZC = 47,
	URING_SENDMSG_ZC = 48,
	URING_READ_MULTISHOT = 49,
	URING_FTRUNCATE = 55,
	URING_RECV_ZC = 58,
	URING_READV_FIXED = 60,
	URING_WRITEV_FIXED = 61,
};

struct io_uring_cqe___any {
	int res;
} __attribute__((preserve_access_index));
struct io_kiocb___any {
	struct file *file;
	unsigned char opcode;
} __attribute__((preserve_access_index));

/* What a request has of its own begins where its file stands. */
struct io_splice___any {
	struct file *file_out;
	int splice_fd_in;
	unsigned int flags;
} __attribute__((preserve_access_index));

#define SPLICE_F_FD_IN_FIXED (1U << 31) /* the number is not that of a descriptor */

/* address of a request -> when it was submitted */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} uring_requests SEC(".maps");

/* The recorder knows which arguments the kernel has: the completion's result is its fourth (5.19),
 * or in the completion's entry, which is the third (6.15). */
const volatile bool knob_uring_entry = false;

/* 0: not counted as an operation on files */
static __always_inline __u32 operation_of(__u32 opcode, bool *ret_has_file)
{
	*ret_has_file = true;
	switch (opcode) {
	case URING_READV:
	case URING_READ_FIXED:
	case URING_READ:
	case URING_READ_MULTISHOT:
	case URING_READV_FIXED:
	case URING_RECV:
	case URING_RECVMSG:
	case URING_RECV_ZC:
		return PS_IO_READ;
	case URING_WRITEV:
	case URING_WRITE_FIXED:
	case URING_WRITE:
	case URING_WRITEV_FIXED:
	case URING_SEND:
	case URING_SENDMSG:
	case URING_SEND_ZC:
	case URING_SENDMSG_ZC:
		return PS_IO_WRITE;
	case URING_FSYNC:
	case URING_SYNC_FILE_RANGE:
		return PS_IO_FSYNC;
	case URING_FALLOCATE:
		return PS_IO_ALLOCATE;
	case URING_FTRUNCATE:
		return PS_IO_TRUNCATE;
	case URING_SPLICE:
		return PS_IO_COPY_TO;
	case URING_ACCEPT:
		return PS_IO_ACCEPT;
	case URING_CONNECT:
		return PS_IO_CONNECT;
	case URING_SHUTDOWN:
		return PS_IO_SHUTDOWN;
	case URING_FSETXATTR:
	case URING_FGETXATTR:
		return PS_IO_XATTR;
	}
	*ret_has_file = false;
	switch (opcode) {
	case URING_OPENAT:
	case URING_OPENAT2:
		return PS_IO_OPEN;
	case URING_CLOSE:
		return PS_IO_CLOSE;
	case URING_STATX:
		return PS_IO_STAT;
	case URING_RENAMEAT:
		return PS_IO_RENAME;
	case URING_UNLINKAT:
		return PS_IO_UNLINK;
	case URING_MKDIRAT:
		return PS_IO_MKDIR;
	case URING_SYMLINKAT:
	case URING_LINKAT:
		return PS_IO_LINK;
	case URING_SETXATTR:
	case URING_GETXATTR:
		return PS_IO_XATTR;
	}
	return 0;
}

SEC("?raw_tp/io_uring_submit_req")
int uring_submit(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 request = ctx->args[0], now = bpf_ktime_get_ns();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);

	if (who && who->wanted)
		bpf_map_update_elem(&uring_requests, &request, &now, BPF_ANY);
	return 0;
}

/* What a splice has read, with the time; what it has written is the request's file. */
static __always_inline void count_spliced(struct io_kiocb___any *request, __s64 result, __u64 ns)
{
	struct io_splice___any *splice =
		(void *)request + bpf_core_field_offset(struct io_kiocb___any, file);
	struct file *file = NULL;

	if (bpf_core_type_exists(struct io_splice___any) &&
	    !(BPF_CORE_READ(splice, flags) & SPLICE_F_FD_IN_FIXED))
		file = file_of(compat__current(), BPF_CORE_READ(splice, splice_fd_in));
	io__count_file((__u64)file, PS_IO_COPY_FROM, result, ns);
}

SEC("?raw_tp/io_uring_complete")
int uring_complete(struct bpf_raw_tracepoint_args *ctx)
{
	struct io_kiocb___any *request = (void *)ctx->args[1];
	__u64 address = ctx->args[1], ns = 0, *since;
	struct file *file = NULL;
	bool has_file;
	__s64 result;
	__u32 op;

	if (!address)
		return 0;
	since = bpf_map_lookup_elem(&uring_requests, &address);
	if (since) {
		ns = bpf_ktime_get_ns() - *since;
		bpf_map_delete_elem(&uring_requests, &address);
	}
	op = operation_of(BPF_CORE_READ(request, opcode), &has_file);
	if (!op)
		return 0;
	result = knob_uring_entry ? BPF_CORE_READ((struct io_uring_cqe___any *)ctx->args[2], res)
				  : (int)ctx->args[3];
	if (op == PS_IO_COPY_TO) {
		count_spliced(request, result, ns);
		ns = 0;
	}
	if (has_file)
		file = BPF_CORE_READ(request, file);
	else if (op == PS_IO_OPEN && result >= 0)
		file = file_of(compat__current(), result);
	io__count_file((__u64)file, op, result, ns);
	return 0;
}
