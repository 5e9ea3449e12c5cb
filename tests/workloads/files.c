// SPDX-License-Identifier: GPL-2.0-or-later
/* File operations of all kinds, each noted as it is made:
 *
 *     files FOLDER [--wait] [--hot READS]
 *
 * makes its files in FOLDER (empty, not on a read-only file system) and prints one JSON object: for
 * each (file, operation, errno) how many calls there were and how many bytes they moved. Names are
 * relative to FOLDER, each byte is one character. A file with two names has both in "names".
 * --wait: prints "ready PID", begins at SIGUSR1, and ends at SIGUSR1. --hot: reads of 64 bytes at
 * the end by each of two threads, as fast as they can.
 *
 * All calls are made with syscall(): a C library's own would be others on each machine. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROWS 1024
#define NOBODY	 65534
#define SMALL	 64

enum op {
	READ,
	WRITE,
	OPEN,
	CLOSE,
	STAT,
	ACCESS,
	FSYNC,
	READDIR,
	UNLINK,
	RENAME,
	MKDIR,
	SEEK,
	READLINK,
	LINK
};
static const char *const op_names[] = {"read",	 "write", "open",     "close",	"stat",
				       "access", "fsync", "readdir",  "unlink", "rename",
				       "mkdir",	 "seek",  "readlink", "link"};

/* What a call is on: a name of a file, or NULL and another kind. */
struct target {
	const char *kind;
	const char *name;
	const char *alias; /* the file's other name; NULL: none */
};

struct row {
	struct target target;
	enum op op;
	int error;
	uint64_t count, bytes;
};

/* Shared by all the processes; names lie at the same addresses in each. */
static struct ledger {
	atomic_flag busy;
	int rows;
	struct row row[MAX_ROWS];
} * ledger;

static const struct target pipes = {"pipe", NULL, NULL}, sockets = {"socket", NULL, NULL},
			   others = {"other", NULL, NULL};
static char page[4096];

static void die(const char *what)
{
	fprintf(stderr, "files: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static bool same(const char *one, const char *other)
{
	return one == other || (one && other && !strcmp(one, other));
}

static void note(enum op op, const struct target *target, int error, uint64_t count, uint64_t bytes)
{
	struct row *row = ledger->row;

	while (atomic_flag_test_and_set(&ledger->busy))
		;
	while (row < ledger->row + ledger->rows &&
	       (row->op != op || row->error != error || !same(row->target.name, target->name) ||
		!same(row->target.kind, target->kind)))
		row++;
	if (row == ledger->row + MAX_ROWS)
		die("too many rows");
	if (row == ledger->row + ledger->rows) {
		row->target = *target;
		row->op = op;
		row->error = error;
		ledger->rows++;
	}
	row->count += count;
	row->bytes += bytes;
	atomic_flag_clear(&ledger->busy);
}

static long noted(enum op op, const struct target *target, long result)
{
	bool moves = (op == READ || op == WRITE) && result > 0;
	int error = result < 0 ? errno : 0;

	note(op, target, error, 1, moves ? (uint64_t)result : 0);
	return result;
}

#define FILE_NAMED(text)      (&(const struct target){"file", text, NULL})
#define CALL(op, on, call...) noted(op, on, syscall(call))
#define ON(op, name, call...) noted(op, FILE_NAMED(name), syscall(call))

static int open_file(const char *name, int flags)
{
	return (int)noted(OPEN, FILE_NAMED(name), syscall(SYS_openat, AT_FDCWD, name, flags, 0644));
}

static void close_file(const char *name, int descriptor)
{
	noted(CLOSE, FILE_NAMED(name), syscall(SYS_close, descriptor));
}

static int make_file(const char *name, size_t size)
{
	int descriptor = open_file(name, O_RDWR | O_CREAT);

	if (descriptor < 0)
		die(name);
	if (size)
		ON(WRITE, name, SYS_write, descriptor, page, size);
	return descriptor;
}

/* --- reading, writing */

static void read_and_write(void)
{
	struct iovec parts[2] = {{page, 100}, {page + 200, 28}};
	int descriptor = make_file("plain", 1000);

	ON(WRITE, "plain", SYS_pwrite64, descriptor, page, 500, 1000L);
	ON(WRITE, "plain", SYS_writev, descriptor, parts, 2);
	ON(WRITE, "plain", SYS_pwritev, descriptor, parts, 2, 2000L, 0L);
	ON(WRITE, "plain", SYS_pwritev2, descriptor, parts, 2, 3000L, 0L, 0);
	ON(SEEK, "plain", SYS_lseek, descriptor, 0L, SEEK_SET);
	ON(READ, "plain", SYS_read, descriptor, page, 300);
	ON(READ, "plain", SYS_pread64, descriptor, page, 700, 10L);
	ON(READ, "plain", SYS_readv, descriptor, parts, 2);
	ON(READ, "plain", SYS_preadv, descriptor, parts, 2, 50L, 0L);
	ON(READ, "plain", SYS_preadv2, descriptor, parts, 1, 60L, 0L, 0);
	ON(READ, "plain", SYS_pread64, descriptor, page, 0, 0L);
	ON(SEEK, "plain", SYS_lseek, descriptor, 0L, SEEK_END);
	ON(READ, "plain", SYS_read, descriptor, page, 300); /* the end: 0 bytes */
	ON(SEEK, "plain", SYS_lseek, descriptor, -1L, SEEK_SET);
	ON(READ, "plain", SYS_pread64, descriptor, page, 10, -1L);
	ON(READ, "plain", SYS_pread64, descriptor, 8L, 10, 0L); /* EFAULT */
	ON(FSYNC, "plain", SYS_fsync, descriptor);
	ON(FSYNC, "plain", SYS_fdatasync, descriptor);
	ON(READDIR, "plain", SYS_getdents64, descriptor, page, sizeof(page));
	close_file("plain", descriptor);
	descriptor = open_file("plain", O_RDONLY);
	ON(WRITE, "plain", SYS_write, descriptor, page, 10); /* EBADF, of a file all the same */
	close_file("plain", descriptor);
	CALL(READ, &others, SYS_read, -1, page, 10);
	CALL(WRITE, &others, SYS_write, 1000, page, 10);
	CALL(CLOSE, &others, SYS_close, 1000);
	CALL(SEEK, &others, SYS_lseek, 1000, 0L, SEEK_SET);
	CALL(STAT, &others, SYS_newfstatat, 1000, "", page, AT_EMPTY_PATH);
}

static void ways_to_open(void)
{
	struct open_how how = {.flags = O_RDWR | O_CREAT, .mode = 0600};
	char name[32];
	struct stat found;
	int descriptor;

#ifdef SYS_open
	close_file("by open",
		   (int)ON(OPEN, "by open", SYS_open, "by open", O_CREAT | O_RDWR, 0600));
	close_file("by creat", (int)ON(OPEN, "by creat", SYS_creat, "by creat", 0600));
#endif
	descriptor =
		(int)ON(OPEN, "by openat2", SYS_openat2, AT_FDCWD, "by openat2", &how, sizeof(how));
	if (descriptor >= 0)
		close_file("by openat2", descriptor);
	descriptor = (int)syscall(SYS_openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600);
	if (descriptor >= 0 && !fstat(descriptor, &found)) {
		static char unnamed[32];

		snprintf(unnamed, sizeof(unnamed), "#%lu", (unsigned long)found.st_ino);
		note(OPEN, FILE_NAMED(unnamed), 0, 1, 0);
		note(STAT, FILE_NAMED(unnamed), 0, 1, 0);
		ON(WRITE, unnamed, SYS_write, descriptor, page, 77);
		close_file(unnamed, descriptor);
	} else {
		note(OPEN, FILE_NAMED("."), errno, 1, 0);
	}
	for (int i = 0; i < 50; i++) {
		descriptor = open_file("plain", O_RDONLY);
		close_file("plain", descriptor);
	}
	snprintf(name, sizeof(name), "/proc/%d/stat", getpid());
	descriptor =
		(int)ON(OPEN, strdup(name), SYS_openat, AT_FDCWD, "/proc/self/stat", O_RDONLY, 0);
	ON(READ, strdup(name), SYS_read, descriptor, page, 20);
	ON(CLOSE, strdup(name), SYS_close, descriptor);
}

static void failures(void)
{
	static char long_name[301];

	memset(long_name, 'n', sizeof(long_name) - 1);
	for (int i = 0; i < 7; i++)
		open_file("absent", O_RDONLY);
	open_file("absent/deeper", O_RDONLY);
	open_file("plain/below a file", O_RDONLY);
	open_file("plain", O_RDONLY | O_DIRECTORY);
	open_file("plain", O_WRONLY | O_CREAT | O_EXCL);
	open_file("folder", O_WRONLY);
	open_file("arrow", O_RDONLY | O_NOFOLLOW);
	open_file("circle", O_RDONLY);
	open_file(long_name, O_RDONLY);
	ON(STAT, "absent", SYS_newfstatat, AT_FDCWD, "absent", page, 0);
	ON(STAT, "absent", SYS_statx, AT_FDCWD, "absent", 0, STATX_ALL, page);
	ON(ACCESS, "absent", SYS_faccessat, AT_FDCWD, "absent", R_OK);
	ON(UNLINK, "absent", SYS_unlinkat, AT_FDCWD, "absent", 0);
	ON(UNLINK, "folder", SYS_unlinkat, AT_FDCWD, "folder", 0);
	ON(UNLINK, "folder", SYS_unlinkat, AT_FDCWD, "folder", AT_REMOVEDIR); /* not empty */
	ON(MKDIR, "folder", SYS_mkdirat, AT_FDCWD, "folder", 0755);
	ON(RENAME, "absent", SYS_renameat2, AT_FDCWD, "absent", AT_FDCWD, "anything", 0);
	ON(RENAME, "plain", SYS_renameat2, AT_FDCWD, "plain", AT_FDCWD, "folder", 0);
	ON(READLINK, "plain", SYS_readlinkat, AT_FDCWD, "plain", page, 10);
	CALL(OPEN, &others, SYS_openat, AT_FDCWD, 8L, O_RDONLY, 0); /* EFAULT: no name to read */
}

/* --- by name */

static void stat_family(void)
{
	int descriptor = open_file("plain", O_RDONLY);

#ifdef SYS_stat
	ON(STAT, "plain", SYS_stat, "plain", page);
	ON(STAT, "arrow", SYS_lstat, "arrow", page);
	ON(ACCESS, "plain", SYS_access, "plain", R_OK);
	ON(READLINK, "arrow", SYS_readlink, "arrow", page, 100);
#endif
	ON(STAT, "plain", SYS_fstat, descriptor, page);
	ON(STAT, "plain", SYS_newfstatat, descriptor, "", page, AT_EMPTY_PATH);
	ON(STAT, "plain", SYS_statx, descriptor, "", AT_EMPTY_PATH, STATX_ALL, page);
	ON(STAT, "plain", SYS_newfstatat, AT_FDCWD, "plain", page, 0);
	ON(STAT, "plain", SYS_statx, AT_FDCWD, "plain", 0, STATX_ALL, page);
	ON(ACCESS, "plain", SYS_faccessat, AT_FDCWD, "plain", R_OK);
	ON(ACCESS, "plain", SYS_faccessat2, AT_FDCWD, "plain", R_OK, 0);
	ON(READLINK, "arrow", SYS_readlinkat, AT_FDCWD, "arrow", page, 100);
	close_file("plain", descriptor);
	descriptor = open_file("plain", O_PATH);
	ON(STAT, "plain", SYS_fstat, descriptor, page);
	close_file("plain", descriptor);
}

static void folders(void)
{
	int descriptor;
	long size;

	ON(MKDIR, "folder", SYS_mkdirat, AT_FDCWD, "folder", 0755);
	ON(MKDIR, "folder/lower", SYS_mkdirat, AT_FDCWD, "folder/lower", 0755);
#ifdef SYS_mkdir
	ON(MKDIR, "soon gone", SYS_mkdir, "soon gone", 0755);
	ON(UNLINK, "soon gone", SYS_rmdir, "soon gone");
#endif
	for (int i = 0; i < 20; i++) {
		static char names[20][16];

		snprintf(names[i], sizeof(names[i]), "folder/%d", i);
		close_file(names[i], make_file(names[i], (size_t)i));
	}
	descriptor = open_file("folder", O_RDONLY | O_DIRECTORY);
	do {
		size = ON(READDIR, "folder", SYS_getdents64, descriptor, page, 200);
	} while (size > 0);
	ON(SEEK, "folder", SYS_lseek, descriptor, 0L, SEEK_SET);
#ifdef SYS_getdents
	ON(READDIR, "folder", SYS_getdents, descriptor, page, sizeof(page));
#endif
	ON(READ, "folder", SYS_read, descriptor, page, 10); /* EISDIR */
	ON(FSYNC, "folder", SYS_fsync, descriptor);
	ON(STAT, "folder/3", SYS_newfstatat, descriptor, "3", page, 0);
	ON(OPEN, "folder/absent", SYS_openat, descriptor, "absent", O_RDONLY, 0);
	ON(UNLINK, "folder/4", SYS_unlinkat, descriptor, "4", 0);
	ON(STAT, "plain", SYS_newfstatat, descriptor, "../plain", page, 0);
	close_file("folder/5", (int)ON(OPEN, "folder/5", SYS_openat, descriptor, "5", O_RDONLY, 0));
	close_file("folder", descriptor);
}

static void links_and_renames(void)
{
	const struct target both = {"file", "one name", "other name"};
	const struct target moved = {"file", "old name", "new name"};
	int one, other;

	one = (int)CALL(OPEN, &both, SYS_openat, AT_FDCWD, "one name", O_RDWR | O_CREAT, 0600);
	if (link("one name", "other name"))
		die("link");
	note(LINK, &both, 0, 1, 0);
	other = (int)CALL(OPEN, &both, SYS_openat, AT_FDCWD, "other name", O_RDONLY, 0);
	CALL(WRITE, &both, SYS_write, one, page, 600);
	for (int i = 0; i < 5; i++)
		CALL(READ, &both, SYS_read, other, page, 100);
	CALL(CLOSE, &both, SYS_close, one);
	CALL(CLOSE, &both, SYS_close, other);
	CALL(UNLINK, &both, SYS_unlinkat, AT_FDCWD, "one name", 0);
	CALL(STAT, &both, SYS_newfstatat, AT_FDCWD, "other name", page, 0);

	one = (int)CALL(OPEN, &moved, SYS_openat, AT_FDCWD, "old name", O_RDWR | O_CREAT, 0600);
	CALL(WRITE, &moved, SYS_write, one, page, 60);
	CALL(RENAME, &moved, SYS_renameat2, AT_FDCWD, "old name", AT_FDCWD, "new name", 0);
	CALL(WRITE, &moved, SYS_write, one, page, 60);
#ifdef SYS_rename
	CALL(RENAME, &moved, SYS_rename, "new name", "old name");
	CALL(RENAME, &moved, SYS_renameat, AT_FDCWD, "old name", AT_FDCWD, "new name");
	CALL(UNLINK, &moved, SYS_unlink, "new name");
#endif
	CALL(WRITE, &moved, SYS_write, one, page, 60); /* a file without a name */
	CALL(CLOSE, &moved, SYS_close, one);
	/* The symbolic link's file, not the link. */
	one = (int)ON(OPEN, "plain", SYS_openat, AT_FDCWD, "arrow", O_RDONLY, 0);
	ON(READ, "plain", SYS_read, one, page, 33);
	close_file("plain", one);
}

static void relative_paths(void)
{
	int descriptor;

	ON(STAT, "folder/3", SYS_newfstatat, AT_FDCWD, "./folder//3", page, 0);
	ON(STAT, "plain", SYS_newfstatat, AT_FDCWD, "folder/lower/../../plain", page, 0);
	if (chdir("folder/lower"))
		die("chdir");
	ON(STAT, "plain", SYS_newfstatat, AT_FDCWD, "../../plain", page, 0);
	ON(STAT, "folder/6", SYS_newfstatat, AT_FDCWD, "../6", page, 0);
	ON(STAT, "folder/lower/absent", SYS_newfstatat, AT_FDCWD, "absent", page, 0);
	ON(OPEN, "folder/absent", SYS_openat, AT_FDCWD, "../absent", O_RDONLY, 0);
	descriptor = (int)ON(OPEN, "folder/7", SYS_openat, AT_FDCWD, "../7", O_RDONLY, 0);
	ON(READ, "folder/7", SYS_read, descriptor, page, 100);
	close_file("folder/7", descriptor);
	if (chdir("../.."))
		die("chdir");
}

static void odd_names(void)
{
	static const char *const names[] = {
		"new\nline",
		"quo\"te's",
		"back\\slash",
		"\001\037control",
		"not \xff\xfe UTF-8",
		"\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80",
		" blanks ",
		"star*",
		"100%s",
		"cut \xe2\x82",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int descriptor = make_file(names[i], 10 + i);

		ON(STAT, names[i], SYS_newfstatat, AT_FDCWD, names[i], page, 0);
		ON(READ, names[i], SYS_pread64, descriptor, page, 5, 0L);
		close_file(names[i], descriptor);
		ON(UNLINK, names[i], SYS_unlinkat, AT_FDCWD, names[i], 0);
		ON(OPEN, names[i], SYS_openat, AT_FDCWD, names[i], O_RDONLY, 0);
	}
}

/* --- what is no file */

static void pipes_and_sockets(void)
{
	int ends[2], pair[2], null, fifo;

	if (pipe2(ends, O_NONBLOCK) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("pipe, socketpair");
	CALL(READ, &pipes, SYS_read, ends[0], page, 100); /* EAGAIN */
	for (int i = 0; i < 30; i++) {
		CALL(WRITE, &pipes, SYS_write, ends[1], page, 40);
		CALL(READ, &pipes, SYS_read, ends[0], page, 100);
		CALL(WRITE, &sockets, SYS_write, pair[0], page, 60);
		CALL(READ, &sockets, SYS_read, pair[1], page, 100);
	}
	CALL(SEEK, &pipes, SYS_lseek, ends[0], 0L, SEEK_SET); /* ESPIPE */
	CALL(STAT, &sockets, SYS_fstat, pair[0], page);
	CALL(CLOSE, &pipes, SYS_close, ends[0]);
	CALL(WRITE, &pipes, SYS_write, ends[1], page, 40); /* EPIPE */
	CALL(CLOSE, &pipes, SYS_close, ends[1]);
	CALL(CLOSE, &sockets, SYS_close, pair[0]);
	CALL(READ, &sockets, SYS_read, pair[1], page, 40);
	CALL(CLOSE, &sockets, SYS_close, pair[1]);
	null = (int)CALL(OPEN, &others, SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
	CALL(WRITE, &others, SYS_write, null, page, 1000);
	CALL(READ, &others, SYS_read, null, page, 1000);
	CALL(CLOSE, &others, SYS_close, null);
	if (mkfifo("fifo", 0600))
		die("mkfifo");
	fifo = (int)CALL(OPEN, &pipes, SYS_openat, AT_FDCWD, "fifo", O_RDWR, 0);
	CALL(WRITE, &pipes, SYS_write, fifo, page, 8);
	CALL(READ, &pipes, SYS_read, fifo, page, 8);
	CALL(CLOSE, &pipes, SYS_close, fifo);
	ON(UNLINK, "fifo", SYS_unlinkat, AT_FDCWD, "fifo", 0);
}

/* --- descriptors that change hands */

static void reused_descriptors(void)
{
	int one = make_file("first", 100), copy, other = make_file("second", 100), moved;

	copy = dup(one);
	ON(READ, "first", SYS_pread64, copy, page, 10, 0L);
	if (dup2(other, copy) != copy) /* closes what copy was, without a close() */
		die("dup2");
	ON(READ, "second", SYS_pread64, copy, page, 20, 0L);
	moved = fcntl(copy, F_DUPFD, 100);
	ON(READ, "second", SYS_pread64, moved, page, 30, 0L);
	close_file("second", moved);
	close_file("second", copy);
	close_file("second", other);
	close_file("first", one);
	for (int i = 0; i < 1000; i++) {
		const char *name = i % 3 ? "first" : "second";
		int descriptor = open_file(name, O_RDONLY);

		if (descriptor != one)
			die("the descriptor is not the same");
		ON(READ, name, SYS_pread64, descriptor, page, i % 90, 0L);
		close_file(name, descriptor);
	}
	/* A new file each time; the kernel gives its memory and inode number again. */
	for (int i = 0; i < 200; i++) {
		const char *name = i % 2 ? "even" : "odd";
		int descriptor = make_file(name, (size_t)(1 + i));

		close_file(name, descriptor);
		ON(UNLINK, name, SYS_unlinkat, AT_FDCWD, name, 0);
	}
}

static void await(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status) {
		errno = ECHILD;
		die("a child failed");
	}
}

static pid_t fork_or_die(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

static void children(void)
{
	int inherited = make_file("inherited", 4096), ends[2];
	pid_t pids[8];

	if (pipe(ends))
		die("pipe");
	for (int i = 0; i < 8; i++) {
		pids[i] = fork_or_die();
		if (pids[i])
			continue;
		for (int j = 0; j <= 100 * i; j++)
			ON(READ, "inherited", SYS_pread64, inherited, page, SMALL, 0L);
		if (i % 2)
			close_file("inherited", inherited);
		inherited = make_file("inherited too", 0);
		ON(WRITE, "inherited too", SYS_write, inherited, page, (size_t)i);
		CALL(WRITE, &pipes, SYS_write, ends[1], page, 3);
		_exit(0); /* closes without a close() */
	}
	for (int i = 0; i < 8; i++)
		await(pids[i]);
	for (int i = 0; i < 8; i++)
		CALL(READ, &pipes, SYS_read, ends[0], page, 3);
	CALL(CLOSE, &pipes, SYS_close, ends[0]);
	CALL(CLOSE, &pipes, SYS_close, ends[1]);
	close_file("inherited", inherited);
}

static void forbidden(void)
{
	pid_t pid;

	if (getuid())
		return;
	ON(MKDIR, "secret", SYS_mkdirat, AT_FDCWD, "secret", 0700);
	close_file("secret/file", make_file("secret/file", 10));
	pid = fork_or_die();
	if (pid) {
		await(pid);
		return;
	}
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		die("setresuid");
	for (int i = 0; i < 5; i++)
		open_file("secret/file", O_RDONLY);
	open_file("secret", O_RDONLY);
	open_file("no right to make", O_WRONLY | O_CREAT);
	ON(ACCESS, "secret", SYS_faccessat, AT_FDCWD, "secret", R_OK);
	ON(STAT, "secret/file", SYS_newfstatat, AT_FDCWD, "secret/file", page, 0);
	ON(UNLINK, "plain", SYS_unlinkat, AT_FDCWD, "plain", 0);
	ON(MKDIR, "no right to make", SYS_mkdirat, AT_FDCWD, "no right to make", 0755);
	ON(RENAME, "plain", SYS_renameat2, AT_FDCWD, "plain", AT_FDCWD, "plainer", 0);
	_exit(0);
}

/* System calls of the 32-bit table, whose numbers mean others here: getpid() is 20, as is writev().
 * A kernel without them ends the child, and nothing is counted either. */
static void foreign_calls(void)
{
#ifdef __x86_64__
	int descriptor = make_file("foreign", 0);
	pid_t pid = fork_or_die();

	if (!pid) {
		for (int i = 0; i < 100; i++) {
			long result = 20;

			__asm__ volatile("int $0x80"
					 : "+a"(result)
					 : "b"(descriptor), "c"(0), "d"(0)
					 : "memory", "r8", "r9", "r10", "r11");
		}
		_exit(0);
	}
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
	close_file("foreign", descriptor);
#endif
}

/* --- many reads, by threads */

#define SHARED_FILES 8
static const char *const shared_names[SHARED_FILES] = {"r0", "r1", "r2", "r3",
						       "r4", "r5", "r6", "r7"};
static int shared_files[SHARED_FILES];
static uint64_t hot_reads;
static pthread_barrier_t barrier;

static void read_small(int descriptor, const char *name, uint64_t count)
{
	char bytes[SMALL];

	for (uint64_t i = 0; i < count; i++)
		if (syscall(SYS_pread64, descriptor, bytes, SMALL, 0L) != SMALL)
			die(name);
	note(READ, FILE_NAMED(name), 0, count, count * SMALL);
}

/* 250,000 reads per thread: of all files in turn, of one at a time, and of one's own. */
static void *reader(void *number)
{
	uint64_t counts[SHARED_FILES] = {0};
	int own = (int)(intptr_t)number;
	char bytes[SMALL];

	for (int i = 0; i < 50000; i++) {
		int file = (i * 5 + own) % SHARED_FILES;

		if (syscall(SYS_pread64, shared_files[file], bytes, SMALL, 0L) != SMALL)
			die("pread64");
		counts[file]++;
	}
	for (int i = 0; i < SHARED_FILES; i++)
		note(READ, FILE_NAMED(shared_names[i]), 0, counts[i], counts[i] * SMALL);
	for (int i = 0; i < SHARED_FILES; i++)
		read_small(shared_files[i], shared_names[i], 10000);
	read_small(shared_files[own], shared_names[own], 120000);
	return NULL;
}

static void *hot_reader(void *number)
{
	int own = (int)(intptr_t)number;

	pthread_barrier_wait(&barrier);
	read_small(shared_files[own], shared_names[own], hot_reads);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void run_threads(int count, void *(*run)(void *), bool waits)
{
	pthread_t threads[4];

	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i))
			die("pthread_create");
	for (int i = 0; waits && i < 2; i++)
		pthread_barrier_wait(&barrier);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Returns small reads per second. */
static double many_reads(void)
{
	double begin, rate = 0;

	for (int i = 0; i < SHARED_FILES; i++)
		shared_files[i] = make_file(shared_names[i], SMALL);
	run_threads(4, reader, false);
	if (hot_reads) {
		pthread_barrier_init(&barrier, NULL, 3);
		begin = now();
		run_threads(2, hot_reader, true);
		rate = 2.0 * (double)hot_reads / (now() - begin);
	}
	for (int i = 0; i < SHARED_FILES; i++)
		close_file(shared_names[i], shared_files[i]);
	return rate;
}

/* --- */

static void print_name(const char *name)
{
	putchar('"');
	for (const uint8_t *at = (const uint8_t *)name; *at; at++) {
		if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
			printf("\\u%04x", *at);
		else
			putchar(*at);
	}
	putchar('"');
}

static void print_ledger(double rate)
{
	printf("{\"pid\": %d, \"hot_reads_per_second\": %.0f, \"rows\": [", getpid(), rate);
	for (int i = 0; i < ledger->rows; i++) {
		const struct row *row = &ledger->row[i];

		printf("%s\n{\"kind\": \"%s\", \"names\": [", i ? "," : "", row->target.kind);
		if (row->target.name)
			print_name(row->target.name);
		if (row->target.alias) {
			printf(", ");
			print_name(row->target.alias);
		}
		printf("], \"op\": \"%s\", \"error\": %d, \"count\": %llu, \"bytes\": %llu}",
		       op_names[row->op], row->error, (unsigned long long)row->count,
		       (unsigned long long)row->bytes);
	}
	printf("\n]}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	bool waits = false;
	sigset_t signals;
	int signal_number;
	double rate;

	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--wait"))
			waits = true;
		else if (!strcmp(argv[i], "--hot") && i + 1 < argc)
			hot_reads = strtoull(argv[++i], NULL, 10);
		else
			argc = 0;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: files FOLDER [--wait] [--hot READS]\n");
		return 2;
	}
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (ledger == MAP_FAILED || chdir(argv[1]))
		die(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (waits) {
		printf("ready %d\n", getpid());
		fflush(stdout);
		sigwait(&signals, &signal_number);
	}
	if (symlink("plain", "arrow") || symlink("circle", "circle"))
		die("symlink");
	note(LINK, FILE_NAMED("arrow"), 0, 1, 0);
	note(LINK, FILE_NAMED("circle"), 0, 1, 0);
	read_and_write();
	ways_to_open();
	folders();
	failures();
	stat_family();
	links_and_renames();
	relative_paths();
	odd_names();
	pipes_and_sockets();
	reused_descriptors();
	children();
	forbidden();
	foreign_calls();
	rate = many_reads();
	print_ledger(rate);
	if (waits)
		sigwait(&signals, &signal_number);
	return 0;
}
