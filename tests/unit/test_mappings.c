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
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strings.h"
#include "proc/mappings.h"

/* Pages 0..99 in these tests; the file's number tells mappings apart. */
#define PAGE	  4096ULL
#define PAGES	  100
#define OF(pages) ((pages)*PAGE)

static struct string_pool *pool;

static int make_pool(void **state)
{
	(void)state;
	pool = string_pool__new();
	return pool ? 0 : -1;
}

static int free_pool(void **state)
{
	(void)state;
	string_pool__free(pool);
	return 0;
}

static int add(struct mapping_set **set, uint64_t start, uint64_t end, uint64_t inode)
{
	struct mapping mapping = {
		.start = OF(start),
		.end = OF(end),
		.offset = OF(1000 * inode + start),
		.since_ns = inode,
		.file = {.device = 5, .inode = inode, .path = "/file"},
	};

	return mapping_set__add(set, &mapping);
}

/* "start-end:inode " of each mapping; offsets must belong to the page, whatever was cut. */
static void expect(const struct mapping_set *set, const char *expected)
{
	char text[1024] = "";
	size_t at = 0;

	for (size_t i = 0; i < mapping_set__count(set); i++) {
		const struct mapping *one = mapping_set__at(set, i);

		assert_int_equal(one->offset, OF(1000 * one->file.inode) + one->start);
		assert_int_equal(one->since_ns, one->file.inode);
		assert_int_equal(one->file.device, 5);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%llu-%llu:%llu ",
				       (unsigned long long)(one->start / PAGE),
				       (unsigned long long)(one->end / PAGE),
				       (unsigned long long)one->file.inode);
	}
	assert_string_equal(text, expected);
}

static void all_overlaps(void **state)
{
	static const struct {
		uint64_t start, end;
		const char *expected;
	} cases[] = {
		{1, 5, "1-5:3 10-20:1 30-40:2 "}, /* in front of all */
		{5, 10, "5-10:3 10-20:1 30-40:2 "}, /* touches */
		{5, 15, "5-15:3 15-20:1 30-40:2 "}, /* over a start */
		{10, 15, "10-15:3 15-20:1 30-40:2 "},
		{12, 15, "10-12:1 12-15:3 15-20:1 30-40:2 "}, /* splits */
		{12, 20, "10-12:1 12-20:3 30-40:2 "},
		{10, 20, "10-20:3 30-40:2 "}, /* the same */
		{12, 25, "10-12:1 12-25:3 30-40:2 "}, /* over an end */
		{5, 20, "5-20:3 30-40:2 "},
		{10, 25, "10-25:3 30-40:2 "},
		{5, 25, "5-25:3 30-40:2 "}, /* over one */
		{20, 30, "10-20:1 20-30:3 30-40:2 "}, /* fills the gap */
		{22, 28, "10-20:1 22-28:3 30-40:2 "},
		{15, 35, "10-15:1 15-35:3 35-40:2 "}, /* an end and a start */
		{10, 35, "10-35:3 35-40:2 "},
		{15, 40, "10-15:1 15-40:3 "},
		{10, 40, "10-40:3 "}, /* over both */
		{1, 99, "1-99:3 "},
		{39, 41, "10-20:1 30-39:2 39-41:3 "},
		{40, 41, "10-20:1 30-40:2 40-41:3 "},
		{50, 60, "10-20:1 30-40:2 50-60:3 "}, /* behind all */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mapping_set *set = mapping_set__new();

		assert_int_equal(add(&set, 30, 40, 2), 0);
		assert_int_equal(add(&set, 10, 20, 1), 0);
		expect(set, "10-20:1 30-40:2 ");
		assert_int_equal(add(&set, cases[i].start, cases[i].end, 3), 0);
		expect(set, cases[i].expected);
		mapping_set__unref(set);
	}
}

static void found_by_address(void **state)
{
	struct mapping_set *set = mapping_set__new();
	struct mapping top = {.start = UINT64_MAX - 10, .end = UINT64_MAX};

	(void)state;
	assert_null(mapping_set__find(set, 0));
	assert_null(mapping_set__find(set, UINT64_MAX));
	assert_int_equal(mapping_set__count(set), 0);
	assert_int_equal(add(&set, 10, 20, 1), 0);
	assert_int_equal(add(&set, 20, 30, 2), 0);
	assert_null(mapping_set__find(set, OF(10) - 1));
	assert_int_equal(mapping_set__find(set, OF(10))->file.inode, 1);
	assert_int_equal(mapping_set__find(set, OF(20) - 1)->file.inode, 1);
	assert_int_equal(mapping_set__find(set, OF(20))->file.inode, 2);
	assert_null(mapping_set__find(set, OF(30)));
	assert_null(mapping_set__find(set, UINT64_MAX));
	assert_int_equal(mapping_set__add(&set, &top), 0);
	assert_non_null(mapping_set__find(set, UINT64_MAX - 10));
	assert_null(mapping_set__find(set, UINT64_MAX));
	mapping_set__unref(set);
	mapping_set__unref(NULL);
}

static void nonsense_is_refused(void **state)
{
	struct mapping_set *set = mapping_set__new(), *other = mapping_set__ref(set);

	(void)state;
	assert_int_equal(add(&set, 10, 10, 1), -EINVAL);
	assert_int_equal(add(&set, 11, 10, 1), -EINVAL);
	assert_ptr_equal(set, other);
	assert_int_equal(mapping_set__count(set), 0);
	mapping_set__unref(set);
	mapping_set__unref(other);
}

/* A change of one owner's set is not seen by the others. */
static void shared_until_changed(void **state)
{
	struct mapping_set *parent = mapping_set__new(), *child, *other;

	(void)state;
	assert_int_equal(add(&parent, 10, 20, 1), 0);
	child = mapping_set__ref(parent);
	other = mapping_set__ref(parent);
	assert_ptr_equal(child, parent);
	assert_int_equal(add(&child, 15, 25, 2), 0);
	assert_ptr_not_equal(child, parent);
	expect(child, "10-15:1 15-25:2 ");
	expect(parent, "10-20:1 ");
	assert_int_equal(add(&parent, 12, 14, 3), 0);
	expect(parent, "10-12:1 12-14:3 14-20:1 ");
	expect(other, "10-20:1 ");
	assert_int_equal(mapping_set__drop_before(&child, 2), 0);
	expect(child, "15-25:2 ");
	mapping_set__unref(parent);
	expect(other, "10-20:1 ");
	parent = mapping_set__ref(other);
	assert_int_equal(mapping_set__drop_before(&parent, 5), 0);
	expect(parent, "");
	expect(other, "10-20:1 ");
	mapping_set__unref(other);
	mapping_set__unref(parent);
	mapping_set__unref(child);
}

static void dropped_by_age(void **state)
{
	struct mapping_set *set = mapping_set__new();

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(add(&set, 2 * i, 2 * i + 1, (7 * i) % 10), 0);
	assert_int_equal(mapping_set__drop_before(&set, 0), 0);
	assert_int_equal(mapping_set__count(set), 10);
	assert_int_equal(mapping_set__drop_before(&set, 7), 0);
	expect(set, "2-3:7 8-9:8 14-15:9 ");
	assert_int_equal(mapping_set__drop_before(&set, UINT64_MAX), 0);
	assert_int_equal(mapping_set__count(set), 0);
	assert_int_equal(mapping_set__drop_before(&set, UINT64_MAX), 0);
	mapping_set__unref(set);
}

/* Random additions to several owners of shared sets, against one inode per page of each. */
static void against_a_map_of_bytes(void **state)
{
	enum { OWNERS = 4 };
	struct mapping_set *sets[OWNERS];
	uint64_t naive[OWNERS][PAGES] = {};

	(void)state;
	srandom(20);
	for (int i = 0; i < OWNERS; i++)
		sets[i] = mapping_set__new();
	for (uint64_t round = 1; round <= 20000; round++) {
		int owner = (int)(random() % OWNERS), other = (int)(random() % OWNERS);
		uint64_t start = (uint64_t)random() % PAGES;
		uint64_t end = start + 1 + (uint64_t)random() % (round % 3 ? 8 : PAGES);
		uint64_t oldest = round > 60 ? round - 60 : 0;

		if (end > PAGES)
			end = PAGES;
		switch (random() % 8) {
		case 0: /* a fork */
			if (owner == other)
				break;
			mapping_set__unref(sets[other]);
			sets[other] = mapping_set__ref(sets[owner]);
			memcpy(naive[other], naive[owner], sizeof(naive[other]));
			break;
		case 1:
			assert_int_equal(mapping_set__drop_before(&sets[owner], oldest), 0);
			for (int i = 0; i < PAGES; i++)
				if (naive[owner][i] < oldest)
					naive[owner][i] = 0;
			break;
		default:
			assert_int_equal(add(&sets[owner], start, end, round), 0);
			for (uint64_t i = start; i < end; i++)
				naive[owner][i] = round;
		}
		for (int i = 0; i < OWNERS; i++) {
			for (uint64_t page = 0; page < PAGES; page++) {
				const struct mapping *one =
					mapping_set__find(sets[i], OF(page) + round % PAGE);

				assert_int_equal(one ? one->file.inode : 0, naive[i][page]);
				if (one)
					assert_int_equal(one->offset + OF(page) - one->start,
							 OF(1000 * naive[i][page] + page));
			}
			for (size_t j = 1; j < mapping_set__count(sets[i]); j++)
				assert_true(mapping_set__at(sets[i], j - 1)->end <=
					    mapping_set__at(sets[i], j)->start);
		}
	}
	for (int i = 0; i < OWNERS; i++)
		mapping_set__unref(sets[i]);
}

static void text_of_proc(void **state)
{
	static const char text[] =
		"555555554000-555555556000 r--p 00000000 fe:01 1234   /usr/bin/cat\n"
		"555555556000-55555555a000 r-xp 00002000 fe:01 1234   /usr/bin/cat\n"
		"7ffff7c00000-7ffff7d00000 r-xp 00026000 103:02 99999999999  /a b/lib c.so "
		"(deleted)\n"
		"7ffff7e00000-7ffff7e01000 rwxp 00000000 00:00 0 \n"
		"7ffff7fc9000-7ffff7fcb000 r-xp 00000000 00:00 0      [vdso]\n"
		"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0      [stack]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n";
	const struct mapping *one;
	struct mapping_set *set;

	(void)state;
	assert_int_equal(mapping_set__parse(text, pool, &set), 0);
	assert_int_equal(mapping_set__count(set), 5);
	one = mapping_set__find(set, 0x555555556001);
	assert_int_equal(one->start, 0x555555556000);
	assert_int_equal(one->end, 0x55555555a000);
	assert_int_equal(one->offset, 0x2000);
	assert_int_equal(one->since_ns, 0);
	assert_int_equal(one->file.device, makedev(0xfe, 1));
	assert_int_equal(one->file.inode, 1234);
	assert_string_equal(one->file.path, "/usr/bin/cat");
	assert_ptr_equal(one->file.path, string_pool__intern(pool, "/usr/bin/cat"));
	one = mapping_set__find(set, 0x7ffff7c00000);
	assert_int_equal(one->file.device, makedev(0x103, 2));
	assert_int_equal(one->file.inode, 99999999999);
	assert_string_equal(one->file.path, "/a b/lib c.so (deleted)");
	one = mapping_set__find(set, 0x7ffff7e00fff);
	assert_int_equal(one->file.inode, 0);
	assert_string_equal(one->file.path, "");
	assert_string_equal(mapping_set__find(set, 0x7ffff7fc9000)->file.path, "[vdso]");
	assert_null(mapping_set__find(set, 0x7ffffffde000));
	assert_non_null(mapping_set__find(set, 0xffffffffff600000));
	mapping_set__unref(set);

	assert_int_equal(mapping_set__parse("", pool, &set), 0);
	assert_int_equal(mapping_set__count(set), 0);
	mapping_set__unref(set);
	/* Without a last newline, and with empty lines. */
	assert_int_equal(mapping_set__parse("\n\n1000-2000 --xp 0 0:0 0", pool, &set), 0);
	assert_int_equal(mapping_set__count(set), 1);
	mapping_set__unref(set);
}

static void hostile_text(void **state)
{
	static const char *const texts[] = {
		"x",
		"1000",
		"1000-2000",
		"1000-2000 r-xp",
		"1000-2000 r-xp 0",
		"1000-2000 r-xp 0 fe",
		"1000-2000 r-xp 0 fe:01",
		"1000-2000 r-xp 0 fe:01 x",
		"1000-2000 r-xpz 0 fe:01 1 /a", /* five permissions */
		"1000 2000 r-xp 0 fe:01 1 /a",
		"g000-2000 r-xp 0 fe:01 1 /a",
		"1000-2000 r-xp 0 fe 01 1 /a",
		"1000-2000 r-xp 0 fe:01 1 /a\nnonsense",
		/* An end that is not behind its start. */
		"2000-1000 r-xp 0 fe:01 1 /a",
		"2000-2000 r-xp 0 fe:01 1 /a",
	};
	struct mapping_set *set = (struct mapping_set *)&set, *before = set;
	static char path[100001];
	char line[100100];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int err = mapping_set__parse(texts[i], pool, &set);

		if (err != -EBADMSG)
			print_message("%s\n", texts[i]);
		assert_int_equal(err, -EBADMSG);
		assert_ptr_equal(set, before);
	}
	memset(path, 'p', sizeof(path) - 1);
	snprintf(line, sizeof(line), "1000-2000 r-xp 0 fe:01 1 %s\n", path);
	assert_int_equal(mapping_set__parse(line, pool, &set), 0);
	assert_string_equal(mapping_set__at(set, 0)->file.path, path);
	mapping_set__unref(set);
	/* The highest numbers there are. */
	assert_int_equal(mapping_set__parse("fffffffffffffffe-ffffffffffffffff r-xp "
					    "ffffffffffffffff ffffffff:ffffffff "
					    "18446744073709551615 /a",
					    pool, &set),
			 0);
	assert_int_equal(mapping_set__at(set, 0)->offset, UINT64_MAX);
	assert_int_equal(mapping_set__at(set, 0)->file.inode, UINT64_MAX);
	mapping_set__unref(set);
	/* Lines that overlap: the later one counts. */
	assert_int_equal(mapping_set__parse("1000-5000 r-xp 0 0:0 1 a\n2000-3000 r-xp 0 0:0 2 b",
					    pool, &set),
			 0);
	assert_int_equal(mapping_set__count(set), 3);
	assert_int_equal(mapping_set__find(set, 0x2fff)->file.inode, 2);
	assert_int_equal(mapping_set__find(set, 0x3000)->offset, 0x2000);
	mapping_set__unref(set);
}

static void of_this_process(void **state)
{
	struct mapping_set *set = NULL;
	const struct mapping *one;
	char self[4096];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int status;
	pid_t pid;

	(void)state;
	assert_true(size > 0);
	self[size] = '\0';
	assert_int_equal(mapping_set__read(getpid(), pool, &set), 0);
	one = mapping_set__find(set, (uintptr_t)of_this_process);
	assert_non_null(one);
	assert_string_equal(one->file.path, self);
	assert_null(mapping_set__find(set, (uintptr_t)&status));
	mapping_set__unref(set);

	pid = fork();
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	set = NULL;
	assert_int_equal(mapping_set__read(pid, pool, &set), -ESRCH);
	assert_null(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_overlaps),	       cmocka_unit_test(found_by_address),
		cmocka_unit_test(nonsense_is_refused), cmocka_unit_test(shared_until_changed),
		cmocka_unit_test(dropped_by_age),      cmocka_unit_test(against_a_map_of_bytes),
		cmocka_unit_test(text_of_proc),	       cmocka_unit_test(hostile_text),
		cmocka_unit_test(of_this_process),
	};

	return cmocka_run_group_tests(tests, make_pool, free_pool);
}
