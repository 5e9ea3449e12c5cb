// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture store proc base
/* Names of files told at first sight, and the rows that they become; read back from a recording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/magic.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "proc/mounts.h"
#include "unit/names_fixture.h"

static uint32_t numbered_mount; /* of what tell_numbered() tells; 0: the kernel's own */

/* In a chroot that is no mount point, nothing tells what the root lies on. */
static void need_root_mount(void)
{
	const struct mount *root;
	struct mounts *mounts;

	assert_int_equal(mounts__read(getpid(), &mounts), 0);
	root = mounts__by_path(mounts, "/");
	mounts__free(mounts);
	if (root)
		return;
	print_message("SKIP: the root of this process is no mount\n");
	skip();
}

static uint32_t id_of_mount(const char *point)
{
	struct mounts *mounts;
	uint32_t id;

	assert_int_equal(mounts__read(getpid(), &mounts), 0);
	assert_non_null(mounts__by_path(mounts, point));
	id = mounts__by_path(mounts, point)->id;
	mounts__free(mounts);
	return id;
}

/* --- joined names */

static void names_are_joined(void **state)
{
	struct ps_file_event event;
	int64_t ids[8];

	(void)state;
	TELL_FILE(1, "c.fits\0b\0a");
	TELL_FILE(2, "x");
	TELL_FILE(3, "..\0.\0 ");
	event = event_of(PS_IO_FILE, 4, 0); /* the root itself */
	tell(&event, "");
	event = event_of(PS_IO_FILE, 5, sizeof("z\0y"));
	event.cut = 1;
	tell(&event, "z\0y");
	event = event_of(PS_IO_FILE, 6, 0);
	event.cut = 1;
	tell(&event, "");
	event = event_of(PS_IO_FILE, 7, 4); /* not ended: the last byte is none */
	tell(&event, "ab\0c");
	for (uint64_t i = 1; i < 8; i++)
		ids[i] = row(PS_IO_FILE, i);
	read_back();
	expect(ids[1], "path", "/a/b/c.fits");
	expect(ids[1], "kind", "file");
	expect(ids[2], "path", "/x");
	expect(ids[3], "path", "/ /./..");
	expect(ids[4], "path", "/");
	expect(ids[5], "path", "/.../y/z");
	expect(ids[6], "path", "/...");
	expect(ids[7], "path", "//ab");
}

/* The longest that BPF can send, of the shortest and of the longest names. */
static void longest_names(void **state)
{
	static char text[PS_MAX_PATH + PS_MAX_NAME];
	struct ps_file_event event = event_of(PS_IO_FILE, 1, sizeof(text));
	int64_t many, two;

	(void)state;
	event.cut = 1;
	tell(&event, text); /* empty names */
	event.key.file = 2;
	memset(text, 'n', sizeof(text));
	text[PS_MAX_PATH - 1] = text[sizeof(text) - 1] = '\0';
	tell(&event, text);
	many = row(PS_IO_FILE, 1);
	two = row(PS_IO_FILE, 2);
	read_back();
	assert_true(many != two);
	assert_int_equal(number_in(recording, "SELECT length(path) FROM file WHERE id = 1"),
			 strlen("/...") + sizeof(text));
	assert_int_equal(number_in(recording, "SELECT length(path) FROM file WHERE id = 2"),
			 strlen("/...") + sizeof(text));
}

static void told_again(void **state)
{
	int64_t before, after;

	(void)state;
	assert_true(row(PS_IO_FILE, 1) > 0); /* not known yet */
	TELL_FILE(1, "before");
	before = row(PS_IO_FILE, 1);
	TELL_FILE(1, "before");
	assert_int_equal(row(PS_IO_FILE, 1), before);
	TELL_FILE(1, "after"); /* renamed */
	after = row(PS_IO_FILE, 1);
	assert_int_not_equal(before, after);
	read_back();
	expect(before, "path", "/before");
	expect(after, "path", "/after");
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file"), 3);
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file WHERE path = '[unknown]'"),
			 1);
}

/* --- paths */

static void absolute_paths(void **state)
{
	struct ps_file_event event = event_of(PS_IO_PATH, 3, 4);
	int64_t ids[5];

	(void)state;
	tell_path(1, NOBODY, AT_FDCWD, "/etc/hosts");
	tell_path(2, NOBODY, 5, "/a/../b//c");
	tell(&event, "/abc"); /* not ended */
	event = event_of(PS_IO_PATH, 4, 0); /* nothing: no name */
	tell(&event, "");
	for (uint64_t i = 1; i < 5; i++)
		ids[i] = row(PS_IO_PATH, i);
	/* The same file, by its inode. */
	TELL_FILE(1, "hosts\0etc");
	assert_int_equal(row(PS_IO_FILE, 1), ids[1]);
	read_back();
	expect(ids[1], "path", "/etc/hosts");
	expect(ids[2], "path", "/a/../b/c");
	expect(ids[3], "path", "/abc");
	expect(ids[4], "path", "[unknown]");
}

/* Relative to the directories of this very process, and to those of one that is gone. */
static void relative_paths(void **state)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY), root = open("/", O_RDONLY | O_DIRECTORY);
	char *here = getcwd(NULL, 0), expected[PATH_MAX + 64];
	int64_t ids[9];

	(void)state;
	assert_non_null(here);
	assert_true(fd >= 0 && root >= 0);
	tell_path(1, (uint32_t)getpid(), AT_FDCWD, "sub/file");
	tell_path(2, (uint32_t)getpid(), fd, "inner");
	tell_path(3, (uint32_t)getpid(), root, "etc");
	tell_path(4, (uint32_t)getpid(), 9999, "nowhere");
	tell_path(5, NOBODY, AT_FDCWD, "gone/file");
	tell_path(6, NOBODY, 3, "..");
	tell_path(7, (uint32_t)getpid(), -1, "x");
	assert_int_equal(chdir("/"), 0);
	tell_path(8, (uint32_t)getpid(), AT_FDCWD, "tmp");
	assert_int_equal(chdir(here), 0);
	for (uint64_t i = 1; i < 9; i++)
		ids[i] = row(PS_IO_PATH, i);
	read_back();
	snprintf(expected, sizeof(expected), "%s/sub/file", here);
	expect(ids[1], "path", expected);
	snprintf(expected, sizeof(expected), "%s/inner", folder);
	expect(ids[2], "path", expected);
	expect(ids[3], "path", "/etc");
	expect(ids[4], "path", ".../nowhere");
	expect(ids[4], "mount", "");
	expect(ids[5], "path", ".../gone/file");
	expect(ids[6], "path", ".../..");
	expect(ids[7], "path", ".../x");
	expect(ids[8], "path", "/tmp");
	free(here);
	close(fd);
	close(root);
}

/* With the names of the directory that the call was relative to: no process needs to live. */
static void paths_with_their_directory(void **state)
{
	static const struct {
		const char *path, *names;
		size_t size; /* of names */
		const char *expected, *mount;
	} cases[] = {
		{"x/y", "b\0a", sizeof("b\0a"), "/a/b/x/y", "/"},
		{"x", "", 0, "/x", "/"}, /* the root */
		{"..", "self\0proc", sizeof("self\0proc"), "/proc", "/proc"},
		{"proc/x", "", 0, "/proc/x", "/proc"},
		{"/etc/x", "", 0, "/etc/x", "/"},
		{"/../x//./y/", "jail", sizeof("jail"), "/jail/x/y", "/"},
	};
	int64_t ids[9];

	(void)state;
	need_root_mount();
	for (uint64_t i = 0; i < 6; i++) {
		struct ps_file_event event = event_of(PS_IO_PATH, i, 0);
		char text[64];

		event.path_size = (uint32_t)strlen(cases[i].path) + 1;
		event.text_size = event.path_size + (uint32_t)cases[i].size;
		event.mount = id_of_mount("/");
		memcpy(text, cases[i].path, event.path_size);
		memcpy(text + event.path_size, cases[i].names, cases[i].size);
		tell(&event, text);
		ids[i] = row(PS_IO_PATH, i);
	}
	for (uint64_t i = 6; i < 9; i++) { /* sizes that do not fit; the last: cut */
		struct ps_file_event event = event_of(PS_IO_PATH, i, sizeof("x6\0b\0a"));
		char text[] = "x6\0b\0a";

		text[1] = '0' + (char)i;
		event.mount = id_of_mount("/");
		event.path_size = i == 6 ? event.text_size + 1 : i == 7 ? UINT32_MAX : 3;
		event.cut = 1;
		tell(&event, text);
		ids[i] = row(PS_IO_PATH, i);
	}
	read_back();
	for (size_t i = 0; i < 6; i++) {
		expect(ids[i], "path", cases[i].expected);
		expect(ids[i], "mount", cases[i].mount);
	}
	expect(ids[6], "path", ".../x6");
	expect(ids[7], "path", ".../x7");
	expect(ids[8], "path", "/.../a/b/x8");
}

/* --- mounts and file systems */

static void mounts_of_files(void **state)
{
	struct ps_file_event event = event_of(PS_IO_FILE, 1, sizeof("maps\0self\0proc"));
	int64_t ids[5];

	(void)state;
	event.mount = id_of_mount("/proc");
	tell(&event, "maps\0self\0proc");
	/* An id that no process has: the file system is known all the same, the mount is not. */
	event.key.file = 2;
	event.mount = UINT32_MAX;
	strcpy(event.filesystem, "ceph");
	tell(&event, "maps\0self\0proc");
	event.key.file = 3;
	tell(&event, "other\0self\0proc");
	tell_path(4, NOBODY, AT_FDCWD, "/proc/sys/x");
	ids[1] = row(PS_IO_FILE, 1);
	ids[2] = row(PS_IO_FILE, 2);
	ids[3] = row(PS_IO_FILE, 3);
	ids[4] = row(PS_IO_PATH, 4);
	read_back();
	assert_int_equal(ids[1], ids[2]); /* by their path */
	expect(ids[1], "mount", "/proc");
	expect(ids[1], "filesystem", "proc");
	expect(ids[3], "mount", "");
	expect(ids[3], "filesystem", "ceph");
	expect(ids[4], "mount", "/proc");
	expect(ids[4], "filesystem", "proc");
}

/* A child with a tmpfs of its own, which this process does not see; then one mounted meanwhile. */
static void mounts_of_others(void **state)
{
	struct ps_file_event event = event_of(PS_IO_FILE, 1, sizeof("f\0inner"));
	struct mounts *mounts = NULL;
	int64_t by_id, by_path;
	int ready[2];
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = !unshare(CLONE_NEWNS) &&
		       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		       !mount("none", folder, "tmpfs", 0, NULL);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	if (!byte) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		print_message("SKIP: no mount namespaces without root\n");
		skip();
	}
	assert_int_equal(mounts__read(child, &mounts), 0);
	event.event.tgid = (uint32_t)child;
	event.mount = mounts__by_path(mounts, folder)->id;
	strcpy(event.filesystem, "tmpfs");
	mounts__free(mounts);
	tell(&event, "f\0inner");
	{
		char text[128];

		snprintf(text, sizeof(text), "%s/missing", folder);
		tell_path(2, (uint32_t)child, AT_FDCWD, text);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	by_id = row(PS_IO_FILE, 1);
	by_path = row(PS_IO_PATH, 2);
	read_back();
	expect(by_id, "mount", folder);
	expect(by_id, "filesystem", "tmpfs");
	expect(by_path, "mount", folder);
	expect(by_path, "filesystem", "tmpfs");
}

/* More kinds of file systems than there are histograms; and long names. */
static void names_of_filesystems(void **state)
{
	int64_t ids[40];

	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		struct ps_file_event event = event_of(PS_IO_FILE, i, sizeof("00"));
		char text[] = {'a' + (char)(i / 10), '0' + (char)(i % 10), '\0'};

		snprintf(event.filesystem, sizeof(event.filesystem), "kind%d", (int)i);
		if (i == 39)
			memset(event.filesystem, 'x', sizeof(event.filesystem)); /* not ended */
		event.mount = UINT32_MAX;
		tell(&event, text);
		ids[i] = row(PS_IO_FILE, i);
	}
	read_back();
	expect(ids[0], "filesystem", "kind0");
	expect(ids[38], "filesystem", "kind38");
	expect(ids[39], "filesystem", "xxxxxxxxxxxxxxxx");
}

struct told_filesystems {
	uint64_t magics[64];
	uint32_t indices[64];
	size_t count;
};

static int take_filesystem(void *context, uint64_t magic, uint32_t index)
{
	struct told_filesystems *told = context;

	assert_true(told->count < 64 && index < PS_IO_FILESYSTEMS && magic);
	told->magics[told->count] = magic;
	told->indices[told->count++] = index;
	return 0;
}

static int refuse_filesystem(void *context, uint64_t magic, uint32_t index)
{
	(void)magic;
	(void)index;
	return ++*(int *)context == 2 ? -EIO : 0;
}

static void filesystems_for_histograms(void **state)
{
	struct told_filesystems told = {};
	bool pipes = false, sockets = false;
	int calls = 0;

	(void)state;
	assert_string_equal(file_names__filesystem(names, 0), "other");
	assert_int_equal(file_names__each_filesystem(names, take_filesystem, &told), 0);
	for (size_t i = 0; i < told.count; i++) {
		const char *name = file_names__filesystem(names, told.indices[i]);

		pipes |= told.magics[i] == PIPEFS_MAGIC && !strcmp(name, "pipe");
		sockets |= told.magics[i] == SOCKFS_MAGIC && !strcmp(name, "socket");
		/* What is no storage takes no place from what is. */
		assert_true(strcmp(name, "proc") && strcmp(name, "cgroup2"));
	}
	assert_true(pipes && sockets);
	assert_string_equal(file_names__filesystem(names, PS_IO_FILESYSTEMS), "other");
	assert_string_equal(file_names__filesystem(names, UINT32_MAX), "other");
	assert_int_equal(file_names__each_filesystem(names, refuse_filesystem, &calls), -EIO);
}

/* --- what has no name */

static void nameless(void **state)
{
	static const uint8_t kinds[] = {PS_IO_FILE,  PS_IO_PATH,      PS_IO_PIPE, PS_IO_SOCKET,
					PS_IO_OTHER, PS_IO_DIRECTORY, 0,	  200};
	static const char *const paths[] = {"[unknown]", "[unknown]",	"pipe",	 "socket",
					    "other",	 "[unknown]/*", "other", "other"};
	int64_t ids[8];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		ids[i] = row(kinds[i], 77);
		assert_int_equal(row(kinds[i], 78), ids[i]); /* one row for all */
	}
	/* An event of something that has no name changes nothing. */
	for (size_t i = 2; i < 8; i++) {
		struct ps_file_event event = event_of(kinds[i], 77, sizeof("name"));

		tell(&event, "name");
		assert_int_equal(row(kinds[i], 77), ids[i]);
	}
	read_back();
	for (size_t i = 0; i < 8; i++)
		expect(ids[i], "path", paths[i]);
	expect(ids[2], "kind", "pipe");
	expect(ids[3], "kind", "socket");
	expect(ids[4], "kind", "other");
	expect(ids[5], "kind", "directory");
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file"), 5);
}

/* --- more than there is room for */

static void tell_numbered(uint64_t file, const char *directory)
{
	struct ps_file_event event = event_of(PS_IO_FILE, file, 0);
	char text[64];

	event.mount = numbered_mount;
	event.text_size = (uint32_t)snprintf(text, sizeof(text), "f%llu%c%s",
					     (unsigned long long)file, '\0', directory) +
			  1;
	tell(&event, text);
}

static void more_files_than_rows(void **state)
{
	struct ps_io_key key;
	int64_t shared, id;

	(void)state;
	for (uint64_t file = 1; file <= FILES_MOST; file++) {
		tell_numbered(file, "many");
		assert_int_equal(row(PS_IO_FILE, file), file);
	}
	/* From here on they share their directory's row, unless they matter. */
	tell_numbered(FILES_MOST + 1, "many");
	tell_numbered(FILES_MOST + 2, "many");
	tell_numbered(FILES_MOST + 3, "few");
	shared = row(PS_IO_FILE, FILES_MOST + 1);
	assert_int_equal(row(PS_IO_FILE, FILES_MOST + 2), shared);
	assert_int_not_equal(row(PS_IO_FILE, FILES_MOST + 3), shared);
	key = key_of(PS_IO_FILE, FILES_MOST + 2);
	id = file_names__row(names, &key, 1);
	assert_true(id > shared);
	assert_int_equal(file_names__row(names, &key, 0), id); /* it has a row now */
	assert_int_equal(row(PS_IO_FILE, 5), 5);
	/* Up to twice as many; directories and nameless ones take none of that room. */
	for (uint64_t file = FILES_MOST + 4; file <= 2 * FILES_MOST + 10; file++) {
		tell_numbered(file, "many");
		key = key_of(PS_IO_FILE, file);
		id = file_names__row(names, &key, 1);
		assert_true(id > 0);
	}
	assert_int_equal(id, shared);
	read_back();
	expect(shared, "path", "/many/*");
	expect(shared, "kind", "directory");
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file WHERE kind = 'file'"),
			 2 * FILES_MOST);
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file WHERE kind = 'directory'"),
			 2);
	assert_int_equal(number_in(recording, "SELECT count(*) - count(DISTINCT path) FROM file"),
			 0);
}

/* A file of memfd_create() is on no mount that a process sees. */
static void file_that_lies_nowhere(void **state)
{
	struct ps_file_event event = event_of(PS_IO_FILE, 1, sizeof("memfd:name"));
	int64_t id;

	(void)state;
	need_root_mount();
	snprintf(event.filesystem, sizeof(event.filesystem), "tmpfs");
	tell(&event, "memfd:name");
	id = row(PS_IO_FILE, 1);
	read_back();
	expect(id, "path", "/memfd:name");
	expect(id, "mount", "");
	expect(id, "filesystem", "tmpfs");
}

/* What BPF had to count by directory is named by the files that were told of it. */
static void directories_by_bpf(void **state)
{
	struct ps_file_event event = event_of(PS_IO_FILE, 1, sizeof("f\0b\0a"));
	int64_t known, root, unknown, file;

	(void)state;
	event.directory = 100;
	tell(&event, "f\0b\0a");
	event = event_of(PS_IO_FILE, 2, sizeof("top"));
	event.directory = 2;
	tell(&event, "top");
	known = row(PS_IO_DIRECTORY, 100);
	root = row(PS_IO_DIRECTORY, 2);
	unknown = row(PS_IO_DIRECTORY, 77);
	assert_int_equal(row(PS_IO_DIRECTORY, 0), unknown);
	file = row(PS_IO_FILE, 2);
	read_back();
	expect(known, "path", "/a/b/*");
	expect(known, "kind", "directory");
	expect(root, "path", "/*");
	expect(unknown, "path", "[unknown]/*");
	expect(file, "path", "/top");
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file"), 4);
}

/* Each in a directory of its own. */
static void more_directories_than_rows(void **state)
{
	const uint64_t most = FILES_MOST + DIRECTORIES_MOST + 1000;
	char directory[32];

	(void)state;
	need_root_mount();
	numbered_mount = id_of_mount("/");
	for (uint64_t file = 1; file <= most; file++) {
		snprintf(directory, sizeof(directory), "d%llu", (unsigned long long)file);
		tell_numbered(file, directory);
		row(PS_IO_FILE, file);
	}
	read_back();
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file WHERE kind = 'file'"),
			 FILES_MOST);
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file WHERE kind = 'directory'"),
			 DIRECTORIES_MOST + 1);
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file WHERE path = '/*'"), 1);
	numbered_mount = 0;
}

/* Names of a node that opens new files all day: those that were told first are forgotten, and
 * known again when they are told again. */
static void names_are_forgotten(void **state)
{
	size_t before = 0, after;
	int64_t known, used, unknown;
	struct ps_io_key idle;

	(void)state;
	tell_numbered(1, "d");
	tell_numbered(2, "d");
	tell_numbered(3, "d");
	tell_numbered(900000, "d");
	idle = key_of(PS_IO_FILE, 900000);
	known = row(PS_IO_FILE, 1);
	used = row(PS_IO_FILE, 3);
	for (uint64_t file = 4; file < 900000; file++) {
		tell_numbered(file, "d");
		if (file % 50000 == 0) /* one that is in use */
			assert_int_equal(row(PS_IO_FILE, 3), used);
		if (file % 50000 == 0) /* one in a slot, without calls */
			file_names__in_use(names, &idle);
		if (file == 400000)
			before = mallinfo2().uordblks;
	}
	after = mallinfo2().uordblks;
	assert_true(after < before + before / 4 + 1000000);
	unknown = row(PS_IO_FILE, 1);
	assert_int_not_equal(known, unknown);
	assert_int_equal(row(PS_IO_FILE, 2), unknown);
	tell_numbered(1, "d");
	assert_int_equal(row(PS_IO_FILE, 1), known);
	assert_int_not_equal(row(PS_IO_FILE, 899999), unknown);
	assert_int_not_equal(row(PS_IO_FILE, 900000), unknown);
	read_back();
	expect(known, "path", "/d/f1");
	expect(unknown, "path", "[unknown]");
}

/* A live recording of days: names and rows that were not used between two sweeps are gone, also
 * from the recording; told and used again, they have other rows. */
static void swept(void **state)
{
	int64_t idle, used, again, directory;
	size_t before = 0, after;

	(void)state;
	tell_numbered(1, "d");
	tell_numbered(2, "d");
	idle = row(PS_IO_FILE, 1);
	used = row(PS_IO_FILE, 2);
	directory = row(PS_IO_PIPE, 0);
	for (uint64_t sweep = 0; sweep < 30; sweep++) {
		for (uint64_t file = 0; file < 2000; file++) {
			tell_numbered(10000 + sweep * 2000 + file, "e");
			row(PS_IO_FILE, 10000 + sweep * 2000 + file);
		}
		assert_int_equal(row(PS_IO_FILE, 2), used);
		assert_int_equal(row(PS_IO_PIPE, 0), directory);
		assert_int_equal(file_names__sweep(names), 0);
		if (sweep == 9)
			before = mallinfo2().uordblks;
	}
	after = mallinfo2().uordblks;
	assert_true(after < before + before / 4 + 2500000); /* SQLite's cache grows */
	tell_numbered(1, "d");
	again = row(PS_IO_FILE, 1);
	assert_true(again > used);
	read_back();
	assert_int_equal(number_in(recording, "SELECT count(*) FROM file WHERE path = '/d/f1'"), 1);
	expect(again, "path", "/d/f1");
	expect(used, "path", "/d/f2");
	assert_true(again != idle);
	assert_in_range(number_in(recording, "SELECT count(*) FROM file"), 2000, 4100);
}

/* --- errors */

/* A row that the writer refused, here because its disk is full, is not taken for written. */
static void refused_rows(void **state)
{
	struct ps_io_key key;
	char full[192];
	int64_t id = 1;

	(void)state;
	file_names__free(names);
	names = NULL;
	assert_int_equal(recording_writer__close(writer), 0);
	writer = NULL;
	if (mount("none", folder, "tmpfs", 0, "size=1m")) {
		print_message("SKIP: no tmpfs without root\n");
		skip();
	}
	snprintf(full, sizeof(full), "%s/full.rec", folder);
	assert_int_equal(recording_writer__create(full, &writer), 0);
	assert_int_equal(file_names__new(writer, NULL, &names), 0);
	for (uint64_t file = 1; file < 2000000 && id > 0; file++) {
		tell_numbered(file, "d");
		key = key_of(PS_IO_FILE, file);
		id = file_names__row(names, &key, 1);
		recording_writer__flush(writer);
	}
	assert_int_equal(id, -ENOSPC);
	assert_int_equal(file_names__row(names, &key, 1), -ENOSPC);
	assert_int_equal(recording_writer__close(writer), -ENOSPC);
	writer = NULL;
	assert_int_equal(umount(folder), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_joined),
		TEST(longest_names),
		TEST(told_again),
		TEST(absolute_paths),
		TEST(relative_paths),
		TEST(paths_with_their_directory),
		TEST(mounts_of_files),
		TEST(mounts_of_others),
		TEST(names_of_filesystems),
		TEST(filesystems_for_histograms),
		TEST(nameless),
		TEST(more_files_than_rows),
		TEST(file_that_lies_nowhere),
		TEST(directories_by_bpf),
		TEST(more_directories_than_rows),
		TEST(names_are_forgotten),
		TEST(swept),
		TEST(refused_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
