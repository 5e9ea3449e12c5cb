// SPDX-License-Identifier: GPL-2.0-or-later
// Links: unwind base
/* Rows on disk, and the threads that make them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "unwind/cache.h"
#include "unwind/compiler.h"

#define WAIT_MS 30000
#define JOBS	64

static char folder[PATH_MAX];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/test_unwind_cache.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static const char *path_of(const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static struct unwind_cache *open_cache(uint64_t limit)
{
	struct unwind_cache *cache = NULL;

	assert_int_equal(unwind_cache__open(path_of("pipescope/unwind"), limit, &cache), 0);
	return cache;
}

static int open_self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* The only file of the cache. */
static const char *only_file(void)
{
	static char name[NAME_MAX + 64];
	DIR *directory = opendir(path_of("pipescope/unwind"));
	struct dirent *entry;
	int count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "pipescope/unwind/%s", entry->d_name);
		count++;
	}
	closedir(directory);
	assert_int_equal(count, 1);
	return path_of(name);
}

static int count_files(void)
{
	DIR *directory = opendir(path_of("pipescope/unwind"));
	struct dirent *entry;
	int count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void assert_same(const struct unwind_rows *a, const struct unwind_rows *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->base, b->base);
	assert_int_equal(a->described, b->described);
	assert_int_equal(a->undescribed, b->undescribed);
	assert_memory_equal(a->problems, b->problems, sizeof(a->problems));
	assert_memory_equal(a->rows, b->rows, a->count * sizeof(*a->rows));
}

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	assert_true(fd >= 0 && pread(fd, &byte, 1, at) == 1);
	byte ^= 0x10;
	assert_true(pwrite(fd, &byte, 1, at) == 1);
	close(fd);
}

static void test_cache(void **state)
{
	struct unwind_cache *cache = open_cache(UNWIND_CACHE_LIMIT);
	struct unwind_rows rows, loaded = {.count = 77};
	struct unwind_cache_key key, other;
	struct stat status;
	char path[2 * PATH_MAX];
	int fd = open_self();

	(void)state;
	assert_int_equal(unwind_cache__key(fd, &key), 0);
	assert_int_equal(unwind_rows__compile(fd, &rows), 0);
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), -ENOENT);
	assert_int_equal(unwind_cache__store(cache, &key, &rows), 0);
	assert_int_equal(unwind_cache__store(cache, &key, &rows), 0);
	snprintf(path, sizeof(path), "%s", only_file());
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(stat(path_of("pipescope/unwind"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	other = key;
	other.owner++;
	assert_int_equal(unwind_cache__load(cache, &other, &loaded), -ENOENT);
	other = key;
	other.file_size++;
	assert_int_equal(unwind_cache__load(cache, &other, &loaded), -EBADMSG);
	assert_int_equal(loaded.count, 77);
	unwind_cache__free(cache);
	cache = open_cache(UNWIND_CACHE_LIMIT);
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), 0);
	assert_same(&rows, &loaded);
	unwind_rows__clear(&loaded);

	/* Each damage is found; storing again heals it. */
	assert_int_equal(stat(path, &status), 0);
	for (off_t at = 0; at < status.st_size; at += 1 + at / 7) {
		flip(path, at);
		if (unwind_cache__load(cache, &key, &loaded) != -EBADMSG)
			fail_msg("byte %ld does not matter", (long)at);
		flip(path, at);
	}
	assert_int_equal(truncate(path, status.st_size - 8), 0);
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), -EBADMSG);
	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), -EBADMSG);
	assert_int_equal(unwind_cache__store(cache, &key, &rows), 0);
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), 0);
	unwind_rows__clear(&loaded);

	/* Not ours: writable by others, a link, no file. */
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), -EBADMSG);
	assert_int_equal(rename(path, path_of("elsewhere")), 0);
	assert_int_equal(chmod(path_of("elsewhere"), 0600), 0);
	assert_int_equal(symlink(path_of("elsewhere"), path), 0);
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), -EBADMSG);
	assert_int_equal(unwind_cache__store(cache, &key, &rows), 0);
	assert_int_equal(lstat(path, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), -EBADMSG);
	unwind_rows__clear(&rows);
	unwind_cache__free(cache);
	close(fd);
}

static void test_folders(void **state)
{
	struct unwind_cache *cache = NULL;

	(void)state;
	assert_int_equal(unwind_cache__open(path_of("no/such/folder"), 1, &cache), -ENOENT);
	assert_int_equal(mkdir(path_of("open"), 0700), 0);
	assert_int_equal(chmod(path_of("open"), 0777), 0);
	assert_int_equal(unwind_cache__open(path_of("open"), 1, &cache), -EPERM);
	assert_int_equal(unwind_cache__open(path_of("open/unwind"), 1, &cache), -EPERM);
	assert_int_equal(symlink(folder, path_of("link")), 0);
	assert_int_equal(unwind_cache__open(path_of("link"), 1, &cache), -ENOTDIR);
	assert_null(cache);
	if (!geteuid()) {
		assert_int_equal(mkdir(path_of("foreign"), 0700), 0);
		assert_int_equal(chown(path_of("foreign"), 1, 1), 0);
		assert_int_equal(unwind_cache__open(path_of("foreign"), 1, &cache), -EPERM);
	}
	unwind_cache__free(NULL);
}

static void test_limit(void **state)
{
	struct ps_unwind_row many[1000];
	struct unwind_rows rows = {.rows = many, .count = 1000}, loaded;
	struct unwind_cache_key key = {.build_id_size = 4};
	struct unwind_cache *cache = open_cache(90000);
	const struct timespec moment = {.tv_nsec = 20000000};

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		many[i] = (struct ps_unwind_row){.address = i * 16, .rule = i % 2};
	/* 11 files of 8,256 bytes are too many, then 8 are kept; number 0 is used all the time. */
	for (unsigned int i = 0; i < 12; i++) {
		key.build_id[0] = (uint8_t)i;
		assert_int_equal(unwind_cache__store(cache, &key, &rows), 0);
		nanosleep(&moment, NULL); /* a file's time goes by the kernel's clock ticks */
		key.build_id[0] = 0;
		assert_int_equal(unwind_cache__load(cache, &key, &loaded), 0);
		unwind_rows__clear(&loaded);
		nanosleep(&moment, NULL);
		assert_true(count_files() <= 12);
	}
	assert_int_equal(count_files(), 9);
	key.build_id[0] = 1;
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), -ENOENT);
	key.build_id[0] = 11;
	assert_int_equal(unwind_cache__load(cache, &key, &loaded), 0);
	unwind_rows__clear(&loaded);
	unwind_cache__free(cache);
}

static void wait_for(struct unwind_compiler *compiler)
{
	struct pollfd polled = {.fd = unwind_compiler__fd(compiler), .events = POLLIN};

	assert_int_equal(poll(&polled, 1, WAIT_MS), 1);
}

static void test_compiler(void **state)
{
	struct unwind_cache *cache = open_cache(UNWIND_CACHE_LIMIT);
	struct unwind_compiler *compiler = NULL;
	int self = open_self(), no_elf = open("/dev/null", O_RDONLY | O_CLOEXEC), done = 0;
	bool seen[JOBS] = {false};
	struct unwind_rows rows;
	struct unwind_job job;

	(void)state;
	assert_int_equal(unwind_rows__compile(self, &rows), 0);
	assert_int_equal(unwind_compiler__new(3, cache, &compiler), 0);
	assert_false(unwind_compiler__take(compiler, &job));
	assert_int_equal(unwind_compiler__add(compiler, -1, NULL, NULL), -EBADF);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(
			unwind_compiler__add(compiler, i % 4 == 3 ? no_elf : self, NULL, &seen[i]),
			0);
	while (done < JOBS) {
		wait_for(compiler);
		while (unwind_compiler__take(compiler, &job)) {
			ptrdiff_t index = (bool *)job.user - seen;

			assert_true(index >= 0 && index < JOBS && !seen[index]);
			seen[index] = true;
			done++;
			assert_int_equal(job.err, index % 4 == 3 ? -ENOENT : 0);
			if (job.err)
				continue;
			assert_same(&rows, &job.rows);
			unwind_rows__clear(&job.rows);
		}
	}
	assert_int_equal(
		poll(&(struct pollfd){.fd = unwind_compiler__fd(compiler), .events = POLLIN}, 1, 0),
		0);
	assert_int_equal(unwind_compiler__add(compiler, self, NULL, &seen[0]), 0);
	wait_for(compiler);
	assert_true(unwind_compiler__take(compiler, &job));
	assert_true(job.cached);
	assert_same(&rows, &job.rows);
	unwind_rows__clear(&job.rows);
	/* Freed with work to do and work not taken. */
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(unwind_compiler__add(compiler, self, NULL, NULL), 0);
	wait_for(compiler);
	unwind_compiler__free(compiler);
	unwind_compiler__free(NULL);
	unwind_cache__free(cache);
	assert_int_equal(unwind_compiler__new(0, NULL, &compiler), 0);
	assert_int_equal(unwind_compiler__add(compiler, self, NULL, NULL), 0);
	wait_for(compiler);
	assert_true(unwind_compiler__take(compiler, &job));
	assert_false(job.cached);
	unwind_rows__clear(&job.rows);
	unwind_compiler__free(compiler);
	unwind_rows__clear(&rows);
	close(self);
	close(no_elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cache, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_folders, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_limit, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_compiler, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
