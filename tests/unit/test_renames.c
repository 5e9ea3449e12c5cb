// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture store proc base
/* Files below folders that are renamed, however the call spells their paths. */
#include "unit/names_fixture.h"

/* The new path comes under the key of the old one. */
static void rename_path(uint64_t key, const char *from, const char *to)
{
	struct ps_file_event event = event_of(PS_IO_PATH, key, strlen(to) + 1);

	tell_path(key, NOBODY, AT_FDCWD, from);
	event.key = key_of(PS_IO_PATH, key);
	assert_int_equal(file_names__on_renamed(names, &event, to), 0);
}

static void folders_however_spelt(void **state)
{
	static const struct {
		const char *file, *from, *to, *expected;
	} cases[] = {
		{"res\0a.tmp\0d", "/d/a.tmp", "/d/a", "/d/a/res"},
		{"res\0b.tmp\0d", "/d/./b.tmp", "/d/./b", "/d/b/res"},
		{"res\0c.tmp\0d", "/d/c.tmp/", "/d/c", "/d/c/res"},
		{"res\0e.tmp\0d", "//d///e.tmp//.", "/d//e/", "/d/e/res"},
		{"res\0f.tmp\0d", "/../d/f.tmp", "/./../d/f", "/d/f/res"},
		{"res\0g.tmp\0d", "/d/g", "/d/h", "/d/g.tmp/res"}, /* another folder */
	};
	enum { COUNT = sizeof(cases) / sizeof(cases[0]) };
	int64_t ids[COUNT];

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct ps_file_event event = event_of(PS_IO_FILE, i, sizeof("res\0a.tmp\0d"));

		tell(&event, cases[i].file);
		row(PS_IO_FILE, i);
		rename_path(100 + i, cases[i].from, cases[i].to);
		ids[i] = row(PS_IO_FILE, i);
	}
	assert_int_equal(file_names__unfollowed(names), 0);
	read_back();
	for (size_t i = 0; i < COUNT; i++)
		expect(ids[i], "path", cases[i].expected);
	assert_int_equal(number_in(recording, "SELECT count(*) FROM renamed"), COUNT - 1);
}

/* A path through a symbolic link is not the one by which files are known. */
static void folders_through_links(void **state)
{
	static const struct {
		const char *from;
		uint64_t unfollowed;
	} cases[] = {
		{"/link/below", 1}, {"/link/folder/below", 1},
		{".../below", 1},   {"/link/belo", 0}, /* no file lies in a folder of that name */
		{"/link/file", 0},  {"/folder/below/file", 0}, /* a file */
	};

	(void)state;
	TELL_FILE(1, "file\0below\0folder");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before = file_names__unfollowed(names);

		rename_path(100 + i, cases[i].from, "/elsewhere");
		assert_int_equal(file_names__unfollowed(names) - before, cases[i].unfollowed);
	}
	row(PS_IO_FILE, 1);
	read_back();
	expect(1, "path", "/folder/below/file");
}

/* A name that has made room: nobody knows what was renamed. */
static void renamed_without_a_name(void **state)
{
	struct ps_file_event event = event_of(PS_IO_PATH, 7, sizeof("/new"));

	(void)state;
	assert_int_equal(file_names__on_renamed(names, &event, "/new"), 0);
	assert_int_equal(file_names__unfollowed(names), 1);
}

/* What is charged to a directory is named by the directory, not by what its path is cleaned to. */
static void directories_of_paths(void **state)
{
	struct ps_file_event event = event_of(PS_IO_PATH, 1, sizeof("..\0b\0a"));
	int64_t id;

	(void)state;
	event.path_size = sizeof("..");
	event.mount = UINT32_MAX;
	event.directory = 77;
	tell(&event, "..\0b\0a");
	id = row(PS_IO_DIRECTORY, 77);
	read_back();
	expect(id, "path", "/a/b/*");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(folders_however_spelt),
		TEST(folders_through_links),
		TEST(renamed_without_a_name),
		TEST(directories_of_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
