// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/mounts.h"

static struct mounts *parse(const char *text)
{
	struct mounts *mounts = NULL;

	assert_int_equal(mounts__parse(text, &mounts), 0);
	assert_non_null(mounts);
	return mounts;
}

static void expect(const struct mounts *mounts, const char *path, uint32_t id)
{
	const struct mount *mount = mounts__by_path(mounts, path);

	if (!id) {
		assert_null(mount);
		return;
	}
	assert_non_null(mount);
	assert_int_equal(mount->id, id);
}

static void fields(void **state)
{
	struct mounts *mounts = parse(
		"21 1 259:2 / / rw,relatime shared:1 master:3 propagate_from:2 - ext4 /dev/x rw\n"
		"22 21 0:5 / /dev rw - devtmpfs udev rw,size=1k\n"
		"23 21 0:44 /sub /repo rw,noatime shared:9 - ceph 10.0.0.1:/data rw,name=x\n"
		"24 21 0:45 / /mnt/fuse ro unbindable - fuse.ceph-fuse ceph-fuse rw\n"
		"25 21 4095:1048575 / /x rw - xfs none");
	const struct mount *mount;

	(void)state;
	assert_int_equal(mounts__count(mounts), 5);
	mount = mounts__at(mounts, 0);
	assert_int_equal(mount->id, 21);
	assert_int_equal(mount->device, makedev(259, 2));
	assert_string_equal(mount->point, "/");
	assert_string_equal(mount->filesystem, "ext4");
	assert_null(mount->parent);
	mount = mounts__by_id(mounts, 23);
	assert_string_equal(mount->point, "/repo");
	assert_string_equal(mount->filesystem, "ceph");
	assert_ptr_equal(mount->parent, mounts__at(mounts, 0));
	assert_string_equal(mounts__by_id(mounts, 24)->filesystem, "fuse.ceph-fuse");
	assert_int_equal(mounts__by_id(mounts, 25)->device, makedev(4095, 1048575));
	assert_string_equal(mounts__by_id(mounts, 25)->filesystem, "xfs"); /* no line end */
	assert_null(mounts__by_id(mounts, 20));
	mounts__free(mounts);
}

static void escaped_names(void **state)
{
	struct mounts *mounts =
		parse("1 0 8:1 / / rw - ext4 a rw\n"
		      "2 1 8:2 / /with\\040blank rw - ext4 a rw\n"
		      "3 1 8:3 / /tab\\011line\\012end rw - ext4 a rw\n"
		      "4 1 8:4 / /back\\134040 rw - ext4 a rw\n"
		      "5 1 8:5 / /\\040-\\040 rw - ext4 a rw\n"
		      "6 1 8:6 / /odd\\04 rw - ext4 a rw\n"
		      "7 1 8:7 / /odd\\ rw - ext4 a rw\n"
		      "8 1 8:8 / /odd\\049\\400 rw - ext4 a rw\n"
		      "9 1 8:9 / /\\303\\251 rw - ext4 a rw\n");

	(void)state;
	assert_string_equal(mounts__by_id(mounts, 2)->point, "/with blank");
	assert_string_equal(mounts__by_id(mounts, 3)->point, "/tab\tline\nend");
	assert_string_equal(mounts__by_id(mounts, 4)->point, "/back\\040");
	assert_string_equal(mounts__by_id(mounts, 5)->point, "/ - ");
	assert_string_equal(mounts__by_id(mounts, 6)->point, "/odd\\04");
	assert_string_equal(mounts__by_id(mounts, 7)->point, "/odd\\");
	assert_string_equal(mounts__by_id(mounts, 8)->point, "/odd\\049\\400");
	assert_string_equal(mounts__by_id(mounts, 9)->point, "/\303\251");
	expect(mounts, "/with blank/file", 2);
	expect(mounts, "/with", 1);
	mounts__free(mounts);
}

static void longest_prefix(void **state)
{
	struct mounts *mounts =
		parse("1 0 8:1 / / rw - ext4 a rw\n"
		      "2 1 8:2 / /data rw - xfs a rw\n"
		      "3 2 8:3 / /data/repo rw - ceph a rw\n"
		      "4 1 8:4 / /database rw - xfs a rw\n"
		      "5 3 8:5 / /data/repo/a/b rw - xfs a rw\n");

	(void)state;
	expect(mounts, "/", 1);
	expect(mounts, "/dat", 1);
	expect(mounts, "/data", 2);
	expect(mounts, "/data/", 2);
	expect(mounts, "/data/x/repo", 2);
	expect(mounts, "/data/repo", 3);
	expect(mounts, "/data/repository", 2);
	expect(mounts, "/database/x", 4);
	expect(mounts, "/databases", 1);
	expect(mounts, "/data/repo/a", 3);
	expect(mounts, "/data/repo/a/b/c", 5);
	expect(mounts, "relative", 0);
	expect(mounts, ".../data/x", 0);
	expect(mounts, "", 0);
	mounts__free(mounts);
}

static void hidden_mounts(void **state)
{
	/* Twice on /a; then on /b over what was mounted on /b/c; the root itself hidden. */
	struct mounts *mounts =
		parse("10 1 8:1 / / rw - rootfs a rw\n"
		      "11 10 8:2 / / rw - ext4 a rw\n"
		      "12 11 8:3 / /a rw - xfs a rw\n"
		      "13 12 8:4 / /a rw - ceph a rw\n"
		      "14 11 8:5 / /b/c rw - xfs a rw\n"
		      "15 11 8:6 / /b rw - nfs a rw\n"
		      "16 10 8:7 / /a rw - tmpfs a rw\n");

	(void)state;
	expect(mounts, "/x", 11);
	expect(mounts, "/a/x", 13);
	expect(mounts, "/b/x", 15);
	expect(mounts, "/b/c/x", 15);
	mounts__free(mounts);

	/* Two on one point of the same parent: the later one is seen. */
	mounts =
		parse("10 1 8:1 / / rw - ext4 a rw\n"
		      "12 10 8:3 / /a rw - xfs a rw\n"
		      "11 10 8:4 / /a rw - ceph a rw\n");
	expect(mounts, "/a/x", 11);
	mounts__free(mounts);
}

static void odd_trees(void **state)
{
	struct mounts *mounts = parse("");

	(void)state;
	assert_int_equal(mounts__count(mounts), 0);
	expect(mounts, "/", 0);
	mounts__free(mounts);
	/* The only ones that a process in a chroot sees. */
	mounts = parse("30 29 8:1 / /jail rw - ext4 a rw\n");
	expect(mounts, "/jail/x", 30);
	expect(mounts, "/x", 0);
	mounts__free(mounts);
	/* The kernel's first mount is its own parent; nobody else's tree may be a ring. */
	mounts =
		parse("1 1 0:1 / / rw - rootfs a rw\n2 3 8:1 / /a rw - xfs a rw\n"
		      "3 2 8:1 / /a rw - xfs a rw\n");
	expect(mounts, "/a/x", 1);
	mounts__free(mounts);
	mounts =
		parse("1 0 0:1 / / rw - ext4 a rw\n1 0 0:1 / / rw - ext4 a rw\n"
		      "1 1 0:1 / / rw - ext4 a rw\n");
	expect(mounts, "/a", 1);
	mounts__free(mounts);
	mounts__free(NULL);
}

static void wrong_lines(void **state)
{
	static const char *const lines[] = {
		"x",
		" ",
		"1 0 8:1 / / rw ext4 a rw",
		"1 0 8:1 / rw - ext4 a rw", /* "rw" where the point should be */
		"1 0 8:1 / - ext4 a rw",
		"1 0 8:1 - ext4 a rw",
		"1 0 8 / / rw - ext4 a rw",
		"a 0 8:1 / / rw - ext4 a rw",
		"1 b 8:1 / / rw - ext4 a rw",
		"1 0 8:1 / relative rw - ext4 a rw",
		"1 0 8:1 / / rw -",
		" - ",
		"1 0 8:1 / / rw - ext4 a rw\n\n\n2 1 8:1 / a rw - ext4 a rw",
	};
	struct mounts *mounts = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(mounts__parse(lines[i], &mounts), -EBADMSG);
		assert_null(mounts);
	}
	mounts = parse("\n\n1 0 8:1 / / rw - ext4\n\n"); /* no source, no options */
	assert_string_equal(mounts__at(mounts, 0)->filesystem, "ext4");
	mounts__free(mounts);
}

static void many_lines(void **state)
{
	struct mounts *mounts;
	char *text = malloc(2000000), *to = text;

	(void)state;
	assert_non_null(text);
	to += sprintf(to, "1 0 8:1 / / rw - ext4 a rw\n");
	for (int i = 2; i < 20000; i++)
		to += sprintf(to, "%d 1 0:%d / /m%d rw - tmpfs a rw\n", i, i, i);
	mounts = parse(text);
	assert_int_equal(mounts__count(mounts), 19999);
	expect(mounts, "/m19999/x", 19999);
	expect(mounts, "/m1/x", 1);
	mounts__free(mounts);
	free(text);
}

/* What the kernel says of this process, against what stat() says of the mounts. */
static void of_this_process(void **state)
{
	struct mounts *mounts;
	struct stat status;
	size_t compared = 0;
	pid_t gone;

	(void)state;
	assert_int_equal(mounts__read(getpid(), &mounts), 0);
	assert_true(mounts__count(mounts) > 0);
	if (!mounts__by_path(mounts, "/")) { /* in a chroot that is no mount point */
		mounts__free(mounts);
		print_message("SKIP: the root of this process is no mount\n");
		skip();
	}
	expect(mounts, "/", mounts__by_path(mounts, "/")->id);
	for (size_t i = 0; i < mounts__count(mounts); i++) {
		const struct mount *mount = mounts__at(mounts, i);

		assert_true(mount->point[0] == '/' && mount->filesystem[0]);
		assert_non_null(mounts__by_id(mounts, mount->id));
		/* Not where stat() could wait for a server, nor where it tells of subvolumes. */
		if (mounts__by_path(mounts, mount->point) != mount ||
		    (strcmp(mount->filesystem, "tmpfs") && strcmp(mount->filesystem, "proc") &&
		     strcmp(mount->filesystem, "sysfs") && strcmp(mount->filesystem, "ext4")) ||
		    stat(mount->point, &status))
			continue;
		assert_int_equal(mount->device, status.st_dev);
		compared++;
	}
	assert_string_equal(mounts__by_path(mounts, "/proc/self/maps")->filesystem, "proc");
	assert_true(compared > 0);
	mounts__free(mounts);

	gone = fork();
	if (!gone)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	assert_int_equal(mounts__read(gone, &mounts), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),	  cmocka_unit_test(escaped_names),
		cmocka_unit_test(longest_prefix), cmocka_unit_test(hidden_mounts),
		cmocka_unit_test(odd_trees),	  cmocka_unit_test(wrong_lines),
		cmocka_unit_test(many_lines),	  cmocka_unit_test(of_this_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
