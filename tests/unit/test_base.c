// SPDX-License-Identifier: GPL-2.0-or-later
// Links: base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/strings.h"

/* --- array */

static void array_grows_zeroed(void **state)
{
	uint32_t *items = NULL;
	size_t capacity = 0;

	(void)state;
	assert_int_equal(array__reserve(&items, &capacity, sizeof(*items), 0), 0);
	assert_null(items);
	for (size_t i = 0; i < 10000; i++) {
		size_t before = capacity;

		assert_int_equal(array__reserve(&items, &capacity, sizeof(*items), i + 1), 0);
		assert_true(capacity >= i + 1);
		assert_true(capacity == before || capacity >= 2 * before);
		for (size_t j = before; j < capacity; j++)
			assert_int_equal(items[j], 0);
		items[i] = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(items[i], i + 1);
	free(items);
}

static void array_too_large(void **state)
{
	size_t capacity = 0, before;
	uint64_t *items = NULL, *where;

	(void)state;
	assert_int_equal(array__reserve(&items, &capacity, sizeof(*items), SIZE_MAX), -EOVERFLOW);
	assert_int_equal(array__reserve(&items, &capacity, sizeof(*items), SIZE_MAX / 8),
			 -EOVERFLOW);
	assert_null(items);
	assert_int_equal(capacity, 0);

	assert_int_equal(array__reserve(&items, &capacity, sizeof(*items), 20), 0);
	before = capacity;
	where = items;
	items[19] = 17;
	assert_int_equal(array__reserve(&items, &capacity, SIZE_MAX / 32, 64), -EOVERFLOW);
	assert_ptr_equal(items, where);
	assert_int_equal(capacity, before);
	assert_int_equal(items[19], 17);
	free(items);
}

/* --- strings */

static void each_string_once(void **state)
{
	struct string_pool *pool = string_pool__new();
	const char *seen[2000];
	char text[32];

	(void)state;
	assert_non_null(pool);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 2000; i++) {
			const char *own;

			snprintf(text, sizeof(text), "string %d", i);
			own = string_pool__intern(pool, text);
			assert_ptr_not_equal(own, text);
			assert_string_equal(own, text);
			if (round)
				assert_ptr_equal(own, seen[i]);
			seen[i] = own;
		}
	}
	for (int i = 1; i < 2000; i++)
		assert_ptr_not_equal(seen[i], seen[i - 1]);
	string_pool__free(pool);
	string_pool__free(NULL);
}

/* What is neither used nor interned again is let go by the second sweep behind its last use. */
static void swept_strings(void **state)
{
	struct string_pool *pool = string_pool__new();
	const char *used = string_pool__intern(pool, "used");
	size_t before, after;
	char text[64];

	(void)state;
	before = mallinfo2().uordblks;
	for (int sweep = 0; sweep < 20; sweep++) {
		for (int i = 0; i < 1000; i++) {
			snprintf(text, sizeof(text), "string %d of %d", i, sweep);
			assert_string_equal(string_pool__intern(pool, text), text);
		}
		string_pool__use(pool, used);
		string_pool__use(pool, NULL);
		string_pool__sweep(pool);
	}
	assert_ptr_equal(string_pool__intern(pool, "used"), used);
	for (int sweep = 0; sweep < 3; sweep++)
		string_pool__sweep(pool);
	after = mallinfo2().uordblks;
	assert_true(after < before + 50000); /* the table of the hash stays */
	string_pool__free(pool);
}

static void parts_of_strings(void **state)
{
	struct string_pool *pool = string_pool__new();
	const char *empty = string_pool__intern(pool, "");

	(void)state;
	assert_string_equal(empty, "");
	assert_ptr_equal(string_pool__intern_bytes(pool, "abc", 0), empty);
	assert_ptr_equal(string_pool__intern_bytes(pool, "\0bc", 3), empty);
	assert_string_equal(string_pool__intern_bytes(pool, "abcdef", 3), "abc");
	assert_ptr_equal(string_pool__intern_bytes(pool, "abcdef", 3),
			 string_pool__intern(pool, "abc"));
	assert_ptr_equal(string_pool__intern_bytes(pool, "abc\0def", 7),
			 string_pool__intern(pool, "abc"));
	assert_ptr_not_equal(string_pool__intern(pool, "ab"), string_pool__intern(pool, "abc"));
	string_pool__free(pool);
}

/* --- cursor */

static void cursor_in_bounds(void **state)
{
	const uint8_t bytes[] = {1, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 6};
	struct cursor cursor = cursor__of(bytes, sizeof(bytes));
	uint8_t two[2];

	(void)state;
	assert_int_equal(cursor__u8(&cursor), 1);
	assert_int_equal(cursor__u16(&cursor), 2);
	assert_int_equal(cursor__u32(&cursor), 3);
	assert_int_equal(cursor__u64(&cursor), 4);
	assert_int_equal(cursor__left(&cursor), 2);
	cursor__bytes(&cursor, two, 2);
	assert_int_equal(two[0], 5);
	assert_int_equal(two[1], 6);
	assert_int_equal(cursor__left(&cursor), 0);
	cursor__bytes(&cursor, two, 0);
	assert_false(cursor.failed);
}

static void cursor_past_the_end(void **state)
{
	const uint8_t bytes[] = {1, 2, 3};
	struct cursor cursor = cursor__of(bytes, sizeof(bytes));
	struct cursor none = cursor__of(NULL, 0);
	uint8_t filled[8];

	(void)state;
	assert_int_equal(cursor__u32(&cursor), 0);
	assert_true(cursor.failed);
	/* Once and for all, though these bytes are there. */
	assert_int_equal(cursor__u8(&cursor), 0);
	memset(filled, 0xff, sizeof(filled));
	cursor__bytes(&cursor, filled, 2);
	assert_int_equal(filled[0] | filled[1], 0);
	assert_int_equal(filled[2], 0xff);
	assert_true(cursor.failed);

	assert_int_equal(cursor__u8(&none), 0);
	assert_true(none.failed);
}

static void cursor_of_every_size(void **state)
{
	uint8_t bytes[16];

	(void)state;
	memset(bytes, 0x11, sizeof(bytes));
	for (size_t size = 0; size <= 8; size++) {
		struct cursor cursor = cursor__of(bytes, size);
		uint64_t value = cursor__u64(&cursor);

		assert_int_equal(cursor.failed, size < 8);
		assert_int_equal(value, size < 8 ? 0 : 0x1111111111111111);
		assert_int_equal(cursor__left(&cursor), size < 8 ? size : 0);
	}
}

/* --- memory */

/* Two pages, the second of which cannot be read. */
static char *page_before_a_gap(size_t *ret_size)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *pages =
		mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + size, size, PROT_NONE), 0);
	*ret_size = size;
	return pages;
}

static void strings_up_to_a_page_end(void **state)
{
	struct process_memory self = process_memory__of(getpid());
	char text[700], expected[700];
	size_t page;
	char *pages = page_before_a_gap(&page);

	(void)state;
	memset(pages, 'x', page);
	pages[page - 1] = '\0';
	memset(expected, 'x', sizeof(expected));
	for (size_t length = 0; length < 600; length++) {
		uint64_t address = (uintptr_t)pages + page - 1 - length;

		memset(text, '?', sizeof(text));
		expected[length] = '\0';
		assert_int_equal(memory__read_string(&self.memory, address, text, sizeof(text)), 0);
		assert_string_equal(text, expected);
		/* Exactly enough room, and one byte less. */
		memset(text, '?', sizeof(text));
		assert_int_equal(memory__read_string(&self.memory, address, text, length + 1), 0);
		assert_string_equal(text, expected);
		assert_int_equal(text[length + 1], '?');
		assert_int_equal(memory__read_string(&self.memory, address, text, length),
				 -ENAMETOOLONG);
		expected[length] = 'x';
	}
	/* Not ended before the gap: not a string. */
	pages[page - 1] = 'x';
	assert_int_equal(
		memory__read_string(&self.memory, (uintptr_t)pages + page - 10, text, sizeof(text)),
		-EFAULT);
	assert_int_equal(
		memory__read_string(&self.memory, (uintptr_t)pages + page, text, sizeof(text)),
		-EFAULT);
	assert_int_equal(memory__read_string(&self.memory, UINT64_MAX - 3, text, sizeof(text)),
			 -EFAULT);
	assert_int_equal(memory__read_string(&self.memory, 0, text, sizeof(text)), -EFAULT);
	munmap(pages, 2 * page);
}

static void memory_of_processes(void **state)
{
	struct process_memory self = process_memory__of(getpid()), gone;
	uint64_t number = 0x123456789abcdef0, copy = 0;
	size_t page;
	char *pages = page_before_a_gap(&page);
	uint8_t bytes[64];
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(memory__read(&self.memory, (uintptr_t)&number, &copy, sizeof(copy)), 0);
	assert_int_equal(copy, number);
	assert_int_equal(memory__read(&self.memory, 0, &copy, 0), 0);
	assert_int_equal(memory__read(&self.memory, 0, &copy, 1), -EFAULT);
	assert_int_equal(memory__read(&self.memory, UINT64_MAX, &copy, 8), -EFAULT);
	assert_int_equal(memory__read(&self.memory, (uintptr_t)pages + page - 32, bytes, 32), 0);
	/* A part of it is not enough. */
	assert_int_equal(memory__read(&self.memory, (uintptr_t)pages + page - 32, bytes, 33),
			 -EFAULT);
	munmap(pages, 2 * page);

	pid = fork();
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	gone = process_memory__of(pid);
	assert_int_equal(memory__read(&gone.memory, (uintptr_t)&number, &copy, 8), -ESRCH);
	assert_int_equal(memory__read_string(&gone.memory, (uintptr_t)&number, (char *)bytes, 8),
			 -ESRCH);
}

/* --- files */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/pipescope-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void make_file(const char *path, size_t size)
{
	_cleanup_fclose_ FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		fputc('a' + (int)(i % 26), file);
}

static void check_text(const char *text, size_t size)
{
	assert_non_null(text);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(text[i], 'a' + (int)(i % 26));
	assert_int_equal(text[size], '\0');
	free((void *)(uintptr_t)text);
}

static void files_and_limits(void **state)
{
	static const size_t sizes[] = {0, 1, 100, 4095, 4096, 4097, 8192, 20000};
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/file", folder);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const size_t limits[] = {
			0, 1, 4095, 4096, 4097, sizes[i], sizes[i] + 1, sizes[i] * 2, 1 << 20};

		make_file(path, sizes[i]);
		for (size_t j = 0; j < sizeof(limits) / sizeof(limits[0]); j++) {
			size_t limit = limits[j], size = 17;
			char *text = NULL;
			int err = file__read(path, limit, &text, &size);

			if (sizes[i] > limit) {
				assert_int_equal(err, -EFBIG);
				assert_null(text);
				assert_int_equal(size, 17);
			} else {
				assert_int_equal(err, 0);
				assert_int_equal(size, sizes[i]);
				check_text(text, size);
			}
			text = NULL;
			assert_int_equal(file__read_start(path, limit, &text, &size), 0);
			assert_int_equal(size, sizes[i] < limit ? sizes[i] : limit);
			check_text(text, size);
		}
	}
	unlink(path);
}

static void files_that_tell_no_size(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct stat status;
	size_t size = 0;

	(void)state;
	assert_int_equal(stat("/proc/self/maps", &status), 0);
	assert_int_equal(status.st_size, 0);
	assert_int_equal(file__read("/proc/self/maps", 1 << 24, &text, &size), 0);
	assert_true(size > 0);
	assert_int_equal(strlen(text), size);
	assert_non_null(strstr(text, "[stack]"));
}

static void files_that_cannot_be_read(void **state)
{
	char *text = (char *)"untouched", path[96];
	size_t size = 17;

	(void)state;
	snprintf(path, sizeof(path), "%s/none", folder);
	assert_int_equal(file__read(path, 100, &text, &size), -ENOENT);
	assert_int_equal(file__read_start(path, 100, &text, &size), -ENOENT);
	assert_int_equal(file__read(folder, 100, &text, &size), -EISDIR);
	snprintf(path, sizeof(path), "%s/loop", folder);
	assert_int_equal(symlink(path, path), 0);
	assert_int_equal(file__read(path, 100, &text, &size), -ELOOP);
	assert_string_equal(text, "untouched");
	assert_int_equal(size, 17);
	/* The size may be of no interest. */
	text = NULL;
	assert_int_equal(file__read_start("/proc/self/comm", 100, &text, NULL), 0);
	free(text);
}

/* --- paths */

static void paths_are_joined(void **state)
{
	static const struct {
		const char *base, *told, *joined;
	} cases[] = {
		{"/", "", "/"},
		{"/", "//", "/"},
		{"/", "/a", "/a"},
		{"/", "//a///b/", "/a/b"},
		{"/", "/./a/./b/.", "/a/b"},
		{"/", "/../../a", "/a"},
		{"/", "/a/..b/...c/.d", "/a/..b/...c/.d"},
		{"/", "/a/../b", "/a/../b"}, /* a may be a link */
		{"/d", "./a/", "/d/a"},
		{"/d/e", "../a", "/d/a"},
		{"/d/e", "./.././../../a", "/a"},
		{"/d/e", "..", "/d"},
		{"/d/e", "../a/..", "/d/a/.."},
		{"...", "../a", ".../../a"},
		{"/...", "a", "/.../a"},
		{"/.../d", "../..", "/.../.."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *joined = path__join(cases[i].base, cases[i].told);

		assert_string_equal(joined, cases[i].joined);
		free(joined);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(array_grows_zeroed),
		cmocka_unit_test(array_too_large),
		cmocka_unit_test(each_string_once),
		cmocka_unit_test(parts_of_strings),
		cmocka_unit_test(swept_strings),
		cmocka_unit_test(cursor_in_bounds),
		cmocka_unit_test(cursor_past_the_end),
		cmocka_unit_test(cursor_of_every_size),
		cmocka_unit_test(strings_up_to_a_page_end),
		cmocka_unit_test(memory_of_processes),
		cmocka_unit_test(files_and_limits),
		cmocka_unit_test(files_that_tell_no_size),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(paths_are_joined),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
