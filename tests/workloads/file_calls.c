// SPDX-License-Identifier: GPL-2.0-or-later
/* The file operations that files.c leaves out: copies inside the kernel, allocation, mappings and
 * their faults, links, attributes, descriptors in place of paths, locks, calls that a signal
 * interrupts, io_uring.
 *
 *     file_calls FOLDER [--no-faults] [--no-uring]
 *
 * prints what it has done as files.c does. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MAX_ROWS 256

static struct row {
	const char *kind, *name, *op;
	int error;
	uint64_t count, bytes;
} rows[MAX_ROWS];
static int row_count;
static char page[65536];

static void die(const char *what)
{
	fprintf(stderr, "file_calls: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void note(const char *op, const char *kind, const char *name, int error, uint64_t count,
		 uint64_t bytes)
{
	struct row *row = rows;

	while (row < rows + row_count && (strcmp(row->op, op) || row->error != error ||
					  strcmp(row->kind, kind) || strcmp(row->name, name)))
		row++;
	if (row == rows + MAX_ROWS)
		die("too many rows");
	if (row == rows + row_count) {
		*row = (struct row){.kind = kind, .name = name, .op = op, .error = error};
		row_count++;
	}
	row->count += count;
	row->bytes += bytes;
}

/* A call on a file with this name. */
static long on(const char *op, const char *name, long result)
{
	int error = result < 0 ? errno : 0;
	bool moves = (!strcmp(op, "read") || !strcmp(op, "write")) && result > 0;

	note(op, "file", name, error, 1, moves ? (uint64_t)result : 0);
	return result;
}

/* The same of two; an empty name is a pipe. */
static long copied(const char *from, const char *to, long result)
{
	int error = result < 0 ? errno : 0;
	uint64_t bytes = result > 0 ? (uint64_t)result : 0;

	note("copy_from", *from ? "file" : "pipe", from, error, 1, bytes);
	note("copy_to", *to ? "file" : "pipe", to, error, 1, bytes);
	return result;
}

static int opened(const char *name, int flags)
{
	int descriptor = (int)on("open", name, syscall(SYS_openat, AT_FDCWD, name, flags, 0644));

	if (descriptor < 0)
		die(name);
	return descriptor;
}

static void closed(const char *name, int descriptor)
{
	on("close", name, syscall(SYS_close, descriptor));
}

static void copies(void)
{
	int from = opened("from", O_RDWR | O_CREAT), to = opened("to", O_RDWR | O_CREAT), ends[2];
	off_t offset = 0;

	on("write", "from", syscall(SYS_write, from, page, 20000));
	copied("from", "to", syscall(SYS_sendfile, to, from, &offset, 6000));
	offset = 100;
	copied("from", "to", syscall(SYS_copy_file_range, from, &offset, to, NULL, 5000, 0));
	if (pipe(ends))
		die("pipe");
	offset = 0;
	copied("from", "", syscall(SYS_splice, from, &offset, ends[1], NULL, 3000, 0));
	copied("", "to", syscall(SYS_splice, ends[0], NULL, to, NULL, 3000, 0));
	copied("from", "to", syscall(SYS_splice, from, NULL, to, NULL, 3000, 0)); /* EINVAL */
	note("close", "pipe", "", 0, 2, 0);
	syscall(SYS_close, ends[0]);
	syscall(SYS_close, ends[1]);
	on("allocate", "to", syscall(SYS_fallocate, to, 0, 0L, 50000L));
	on("allocate", "to", syscall(SYS_fallocate, to, 0, 0L, -1L));
	on("truncate", "to", syscall(SYS_ftruncate, to, 40000L));
	on("truncate", "to", syscall(SYS_truncate, "to", 30000L));
	on("truncate", "absent", syscall(SYS_truncate, "absent", 30000L));
	on("fsync", "to", syscall(SYS_sync_file_range, to, 0L, 0L, 0));
	on("fsync", "to", syscall(SYS_syncfs, to));
	closed("to", to);
	closed("from", from);
}

static void links(void)
{
	on("link", "from", syscall(SYS_linkat, AT_FDCWD, "from", AT_FDCWD, "second", 0));
	on("link", "symbolic at", syscall(SYS_symlinkat, "from", AT_FDCWD, "symbolic at"));
	on("link", "absent", syscall(SYS_linkat, AT_FDCWD, "absent", AT_FDCWD, "third", 0));
#ifdef SYS_link
	on("link", "to", syscall(SYS_link, "to", "fourth"));
	on("link", "symbolic", syscall(SYS_symlink, "from", "symbolic"));
	on("setattr", "to", syscall(SYS_chmod, "to", 0600));
#endif
}

static void attributes(void)
{
	int descriptor = opened("from", O_RDONLY);

	on("xattr", "from", syscall(SYS_setxattr, "from", "user.one", "value", 5, 0));
	on("xattr", "from", syscall(SYS_fsetxattr, descriptor, "user.two", "value", 5, 0));
	on("xattr", "from", syscall(SYS_getxattr, "from", "user.one", page, 100));
	on("xattr", "from", syscall(SYS_lgetxattr, "from", "user.one", page, 100));
	on("xattr", "from", syscall(SYS_fgetxattr, descriptor, "user.absent", page, 100));
	on("xattr", "from", syscall(SYS_listxattr, "from", page, 1000));
	on("xattr", "from", syscall(SYS_flistxattr, descriptor, page, 1000));
	on("xattr", "from", syscall(SYS_removexattr, "from", "user.one"));
	on("xattr", "from", syscall(SYS_fremovexattr, descriptor, "user.two"));
	on("setattr", "from", syscall(SYS_fchmod, descriptor, 0644));
	on("setattr", "from", syscall(SYS_fchown, descriptor, -1, -1));
	on("setattr", "from", syscall(SYS_fchmodat, AT_FDCWD, "from", 0640));
	on("setattr", "from", syscall(SYS_utimensat, AT_FDCWD, "from", NULL, 0));
	closed("from", descriptor);
}

/* A file that lies in no folder. */
static void nowhere(void)
{
	int descriptor = memfd_create("scratch", 0);

	on("write", "/memfd:scratch", syscall(SYS_write, descriptor, page, 5000));
	on("read", "/memfd:scratch", syscall(SYS_pread64, descriptor, page, 3000, 0));
	closed("/memfd:scratch", descriptor);
}

/* Calls that take a path, about what a descriptor is. */
static void without_path(void)
{
	int descriptor = opened("from", O_RDONLY);
	struct statx more;
	struct stat found;

	on("setattr", "from", syscall(SYS_utimensat, descriptor, NULL, NULL, 0));
	on("stat", "from", syscall(SYS_newfstatat, descriptor, "", &found, AT_EMPTY_PATH));
	on("stat", "from",
	   syscall(SYS_statx, descriptor, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &more));
	if (!syscall(SYS_statx, descriptor, NULL, AT_EMPTY_PATH, STATX_BASIC_STATS, &more))
		note("stat", "file", "from", 0, 1, 0);
	else /* before Linux 6.11 */
		note("stat", "other", "", EFAULT, 1, 0);
	closed("from", descriptor);
}

/* A child holds the locks while this process asks for them. */
static void locks(void)
{
	struct flock all = {.l_type = F_WRLCK};
	int descriptor = opened("from", O_RDWR), ends[2];
	pid_t pid;

	on("lock", "from", syscall(SYS_flock, descriptor, LOCK_SH));
	on("lock", "from", syscall(SYS_flock, descriptor, LOCK_UN));
	on("lock", "from", syscall(SYS_fcntl, descriptor, F_SETLK, &all));
	syscall(SYS_fcntl, descriptor, F_GETLK, &all); /* asks only: not counted */
	syscall(SYS_fcntl, descriptor, F_GETFD);
	all.l_type = F_UNLCK;
	on("lock", "from", syscall(SYS_fcntl, descriptor, F_SETLKW, &all));
	if (pipe(ends))
		die("pipe");
	pid = fork();
	if (!pid) {
		int own = open("from", O_RDWR);

		/* Counted below: the child is its own process, with the same file. */
		flock(own, LOCK_EX);
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		usleep(100000);
		_exit(0);
	}
	note("open", "file", "from", 0, 1, 0);
	note("lock", "file", "from", 0, 1, 0);
	note("write", "pipe", "", 0, 1, 1);
	if (pid < 0 || read(ends[0], page, 1) != 1)
		die("child");
	note("read", "pipe", "", 0, 1, 1);
	on("lock", "from", syscall(SYS_flock, descriptor, LOCK_EX | LOCK_NB)); /* EAGAIN */
	on("lock", "from", syscall(SYS_flock, descriptor, LOCK_EX)); /* waits for the child */
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
	note("close", "pipe", "", 0, 2, 0);
	syscall(SYS_close, ends[0]);
	syscall(SYS_close, ends[1]);
	closed("from", descriptor);
}

static int interrupted[2];

static void on_alarm(int number)
{
	(void)number;
	if (write(interrupted[1], "x", 1) != 1)
		_exit(1);
}

/* A read that a signal interrupts and that the kernel makes again: two. */
static void restarts(void)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval soon = {.it_value.tv_usec = 50000};

	if (pipe(interrupted) || sigaction(SIGALRM, &action, NULL) ||
	    setitimer(ITIMER_REAL, &soon, NULL) || read(interrupted[0], page, 1) != 1)
		die("restarts");
	note("read", "pipe", "", EINTR, 1, 0);
	note("write", "pipe", "", 0, 1, 1);
	note("read", "pipe", "", 0, 1, 1);
	note("close", "pipe", "", 0, 2, 0);
	syscall(SYS_close, interrupted[0]);
	syscall(SYS_close, interrupted[1]);
}

static uint64_t faults_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

/* Touches pages that are farther apart than the kernel maps around a fault. */
static void faults(bool counted)
{
	size_t size = 64 * 4096 * 20;
	int descriptor = opened("mapped", O_RDWR | O_CREAT);
	volatile char *mapping;
	uint64_t before = faults_now(), after;

	for (size_t at = 0; at < size; at += sizeof(page))
		on("write", "mapped", syscall(SYS_write, descriptor, page, sizeof(page)));
	mapping = (void *)on(
		"map", "mapped",
		syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0L));
	if (mapping == MAP_FAILED)
		die("mmap");
	before = faults_now();
	for (size_t at = 0; at < size; at += 64 * 4096)
		(void)mapping[at];
	for (size_t at = 0; at < size; at += 128 * 4096)
		mapping[at + 32 * 4096] = 1;
	after = faults_now();
	if (counted)
		note("fault", "file", "mapped", 0, after - before, 0);
	munmap((void *)mapping, size);
	note("map", "other", "", EBADF, 1, 0);
	syscall(SYS_mmap, NULL, size, PROT_READ, MAP_SHARED, 1000, 0L);
	closed("mapped", descriptor);
}

/* --- io_uring */

static struct {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_mask;
	volatile unsigned int *cq_tail;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *done;
} ring;

static bool make_ring(void)
{
	struct io_uring_params parameters = {0};
	char *sq, *cq;

	ring.fd = (int)syscall(SYS_io_uring_setup, 8, &parameters);
	if (ring.fd < 0)
		return false;
	sq = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * 4, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, parameters.cq_off.cqes + parameters.cq_entries * sizeof(*ring.done),
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_CQ_RING);
	ring.entries =
		mmap(NULL, parameters.sq_entries * sizeof(*ring.entries), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || ring.entries == MAP_FAILED)
		die("io_uring");
	note("map", "other", "", 0, 3, 0);
	ring.sq_tail = (void *)(sq + parameters.sq_off.tail);
	ring.sq_mask = (void *)(sq + parameters.sq_off.ring_mask);
	ring.sq_array = (void *)(sq + parameters.sq_off.array);
	ring.cq_head = (void *)(cq + parameters.cq_off.head);
	ring.cq_tail = (void *)(cq + parameters.cq_off.tail);
	ring.cq_mask = (void *)(cq + parameters.cq_off.ring_mask);
	ring.done = (void *)(cq + parameters.cq_off.cqes);
	return true;
}

/* One request, until it is done; like a system call's its failure is -1 with errno. */
static long submit(struct io_uring_sqe entry)
{
	unsigned int index = *ring.sq_tail & *ring.sq_mask;
	int result;

	ring.entries[index] = entry;
	ring.sq_array[index] = index;
	__atomic_store_n(ring.sq_tail, *ring.sq_tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		die("io_uring_enter");
	while (*ring.cq_head == *ring.cq_tail)
		;
	result = ring.done[*ring.cq_head & *ring.cq_mask].res;
	__atomic_store_n(ring.cq_head, *ring.cq_head + 1, __ATOMIC_RELEASE);
	if (result < 0) {
		errno = -result;
		return -1;
	}
	return result;
}

static long request(uint8_t opcode, int descriptor, const void *address, unsigned int length,
		    uint64_t offset, unsigned int flags)
{
	return submit((struct io_uring_sqe){.opcode = opcode,
					    .fd = descriptor,
					    .addr = (uint64_t)(uintptr_t)address,
					    .len = length,
					    .off = offset,
					    .open_flags = flags});
}

static long on_socket(const char *op, long result)
{
	bool moves = !strcmp(op, "read") || !strcmp(op, "write");

	if (result < 0)
		die(op);
	note(op, "socket", "", 0, 1, moves ? (uint64_t)result : 0);
	return result;
}

/* Both ends of a connection; the bytes that went each way are 10 * 1000 + 700. */
static void sockets_by_ring(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct iovec part = {page, 700};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	int server;

	if (bind(listener, (void *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &size))
		die("listen");
	on_socket("connect", request(IORING_OP_CONNECT, client, &address, 0, size, 0));
	server = (int)on_socket("accept", request(IORING_OP_ACCEPT, listener, NULL, 0, 0, 0));
	for (int i = 0; i < 10; i++) {
		on_socket("write", request(IORING_OP_SEND, client, page, 1000, 0, 0));
		on_socket("read", request(IORING_OP_RECV, server, page, 1000, 0, 0));
	}
	on_socket("write", request(IORING_OP_SENDMSG, client, &message, 1, 0, 0));
	on_socket("read", request(IORING_OP_RECVMSG, server, &message, 1, 0, 0));
	on_socket("shutdown", request(IORING_OP_SHUTDOWN, client, NULL, SHUT_WR, 0, 0));
	on_socket("close", syscall(SYS_close, client));
	on_socket("close", syscall(SYS_close, server));
	on_socket("close", syscall(SYS_close, listener));
}

static void splices_by_ring(int descriptor)
{
	struct io_uring_sqe entry = {
		.opcode = IORING_OP_SPLICE, .splice_fd_in = descriptor, .off = -1, .len = 3000};
	int ends[2];

	if (pipe(ends))
		die("pipe");
	entry.fd = ends[1];
	copied("ring", "", submit(entry));
	entry.splice_fd_in = ends[0];
	entry.splice_off_in = -1;
	entry.fd = descriptor;
	entry.off = 0;
	copied("", "ring", submit(entry));
	note("close", "pipe", "", 0, 2, 0);
	syscall(SYS_close, ends[0]);
	syscall(SYS_close, ends[1]);
}

static void by_ring(void)
{
	struct iovec parts[2] = {{page, 1000}, {page, 500}};
	int descriptor = opened("ring", O_RDWR | O_CREAT), other;

	on("write", "ring", request(IORING_OP_WRITE, descriptor, page, 10000, 0, 0));
	on("write", "ring", request(IORING_OP_WRITEV, descriptor, parts, 2, 100, 0));
	for (int i = 0; i < 50; i++)
		on("read", "ring", request(IORING_OP_READ, descriptor, page, 300, 0, 0));
	on("read", "ring", request(IORING_OP_READV, descriptor, parts, 2, 0, 0));
	on("read", "ring", request(IORING_OP_READ, descriptor, (void *)8, 300, 0, 0)); /* EFAULT */
	on("fsync", "ring", request(IORING_OP_FSYNC, descriptor, NULL, 0, 0, 0));
	on("allocate", "ring", request(IORING_OP_FALLOCATE, descriptor, (void *)20000, 0, 0, 0));
	splices_by_ring(descriptor);
	sockets_by_ring();
	other = (int)on("open", "ring",
			request(IORING_OP_OPENAT, AT_FDCWD, "ring", 0, 0, O_RDONLY));
	request(IORING_OP_CLOSE, other, NULL, 0, 0, 0);
	note("close", "other", "", 0, 1, 0); /* which file, nobody can tell any more */
	note("open", "other", "", ENOENT, 1, 0);
	request(IORING_OP_OPENAT, AT_FDCWD, "absent", 0, 0, O_RDONLY);
	closed("ring", descriptor);
	note("close", "other", "", 0, 1, 0);
	syscall(SYS_close, ring.fd);
}

static void print_rows(void)
{
	bool first = true;

	printf("{\"comm\": \"file_calls\", \"hot_reads_per_second\": 0, \"rows\": [");
	for (int i = 0; i < row_count; i++) {
		const struct row *row = &rows[i];

		if (!row->count)
			continue;
		printf("%s\n{\"kind\": \"%s\", \"names\": [", first ? "" : ",", row->kind);
		if (*row->name)
			printf("\"%s\"", row->name);
		printf("], \"op\": \"%s\", \"error\": %d, \"count\": %llu, \"bytes\": %llu}",
		       row->op, row->error, (unsigned long long)row->count,
		       (unsigned long long)row->bytes);
		first = false;
	}
	printf("\n]}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	bool with_faults = true, with_uring = true;

	for (int i = 2; i < argc; i++) {
		with_faults &= strcmp(argv[i], "--no-faults") != 0;
		with_uring &= strcmp(argv[i], "--no-uring") != 0;
	}
	if (argc < 2 || chdir(argv[1]))
		die("file_calls FOLDER [--no-faults] [--no-uring]");
	copies();
	links();
	attributes();
	without_path();
	nowhere();
	locks();
	restarts();
	faults(with_faults);
	if (with_uring && make_ring())
		by_ring();
	print_rows();
	return 0;
}
