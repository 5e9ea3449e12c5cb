// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture base
/* Names of files: those used last stay, whatever paths are long, and folders are shared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/name_table.h"
#include "io.h"

static struct name_table *table;

static int setup(void **state)
{
	(void)state;
	table = name_table__new();
	return !table;
}

static int teardown(void **state)
{
	(void)state;
	name_table__free(table);
	return 0;
}

static struct name_key key_of(uint64_t file, uint32_t kind)
{
	return (struct name_key){.file = file, .device = 3, .kind = kind};
}

static struct file_name *add(uint64_t file, const char *path)
{
	struct name_key key = key_of(file, PS_IO_FILE);

	return name_table__add(table, &key, path, "ext4", "/");
}

static struct file_name *find(uint64_t file)
{
	struct name_key key = key_of(file, PS_IO_FILE);

	return name_table__find(table, &key);
}

static void expect_path(const struct file_name *name, const char *wanted)
{
	char *path = name_table__path(name);

	assert_string_equal(path, wanted);
	free(path);
}

static void paths_come_back(void **state)
{
	static const char *const paths[] = {"/", "/x", "/a/b/c", "/a//b", "/a/", ".../x", "/..."};

	(void)state;
	for (uint64_t i = 0; i < 7; i++)
		assert_non_null(add(i, paths[i]));
	for (uint64_t i = 0; i < 7; i++)
		expect_path(find(i), paths[i]);
	assert_null(find(7));
	assert_int_equal(name_table__count(table), 7);
	while (name_table__oldest(table, NAME_LIST_FILES))
		name_table__remove(table, name_table__oldest(table, NAME_LIST_FILES));
	assert_int_equal(name_table__count(table), 0);
	assert_int_equal(name_table__bytes(table), 0);
}

/* Those of one directory share it, but not across mounts. */
static void folders_are_shared(void **state)
{
	struct name_key key = key_of(3, PS_IO_FILE);
	const struct file_name *one = add(1, "/a/b/c"), *two = add(2, "/a/b/d"), *three;

	(void)state;
	three = name_table__add(table, &key, "/a/b/c", "ceph", "/a/b");
	assert_ptr_equal(one->folder, two->folder);
	assert_ptr_not_equal(one->folder, three->folder);
	assert_string_equal(three->folder->mount, "/a/b");
	assert_string_equal(one->folder->path, "/a/b");
}

static void renamed(void **state)
{
	struct file_name *name;

	(void)state;
	add(1, "/a/one");
	name = add(2, "/a/two");
	name->size = 17;
	add(3, "/a/three");
	name = name_table__rename(table, name, "/elsewhere/and/longer", "ext4", "/");
	assert_ptr_equal(find(2), name);
	expect_path(name, "/elsewhere/and/longer");
	assert_int_equal(name->size, 17);
	assert_ptr_equal(name_table__oldest(table, NAME_LIST_FILES)->newer, name);
	assert_ptr_equal(name->newer, find(3));
	assert_ptr_equal(find(3)->older, name);
	for (uint64_t file = 1; file <= 3; file++)
		name_table__remove(table, find(file));
	assert_int_equal(name_table__bytes(table), 0);
}

/* A million names of a given length: what is used stays, and the memory is what it says. */
static void fill(size_t length, size_t most)
{
	size_t before = mallinfo2().uordblks, taken;
	char path[600];

	memset(path, 'p', sizeof(path));
	path[0] = '/';
	add(0, "/used");
	for (uint64_t file = 1; file <= 1000000; file++) {
		snprintf(path + length, sizeof(path) - length, "/%06llu/%llu",
			 (unsigned long long)file / 100, (unsigned long long)file);
		assert_non_null(add(file, path));
		if (file % 10000 == 0)
			name_table__touch(table, find(0));
	}
	taken = mallinfo2().uordblks - before;
	print_message("paths of %zu bytes: %zu names in %zu bytes, said to be %zu\n", length + 14,
		      name_table__count(table), taken, name_table__bytes(table));
	assert_non_null(find(0));
	assert_non_null(find(1000000));
	assert_null(find(1));
	assert_true(name_table__bytes(table) < most);
	assert_true(taken < most + most / 4); /* and the heads of chains */
}

static void short_paths(void **state)
{
	(void)state;
	fill(20, (24u << 20) + 1);
	assert_true(name_table__count(table) > 180000);
}

static void long_paths(void **state)
{
	(void)state;
	fill(500, (24u << 20) + 1);
	assert_true(name_table__count(table) > 180000);
}

/* Directories have room of their own. */
static void directories_stay(void **state)
{
	struct name_key key = key_of(1, PS_IO_DIRECTORY);

	(void)state;
	assert_non_null(name_table__add(table, &key, "/kept/", "ext4", "/"));
	fill(20, (24u << 20) + 1000);
	assert_non_null(name_table__find(table, &key));
	for (uint64_t file = 2; file < 60000; file++) {
		key = key_of(file, PS_IO_DIRECTORY);
		assert_non_null(name_table__add(table, &key, "/x/", "ext4", "/"));
	}
	key = key_of(1, PS_IO_DIRECTORY);
	assert_null(name_table__find(table, &key));
	assert_non_null(find(1000000));
}

/* BPF must forget what it told when the table has forgotten it, and only then. */
static void rounds(void **state)
{
	(void)state;
	for (uint64_t file = 0; file < 150000; file++)
		add(file, "/d/name");
	assert_false(name_table__lost_told(table));
	name_table__next_round(table);
	name_table__told(table, find(149999)); /* again */
	for (uint64_t file = 150000; file < 300000; file++)
		add(file, "/d/name");
	assert_null(find(0));
	assert_false(name_table__lost_told(table)); /* only those of the round before are gone */
	for (uint64_t file = 300000; find(149999); file++)
		add(file, "/d/name");
	assert_true(name_table__lost_told(table));
	name_table__next_round(table);
	assert_false(name_table__lost_told(table));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_come_back), TEST(folders_are_shared), TEST(renamed), TEST(short_paths),
		TEST(long_paths),      TEST(directories_stay),	 TEST(rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
