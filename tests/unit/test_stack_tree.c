// SPDX-License-Identifier: GPL-2.0-or-later
// Links: model store symbols base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "model/stack_tree.h"
#include "unit/store_fixture.h"

static const struct stack_function work = {
	.kind = FUNCTION_PYTHON,
	.name = "work",
	.file = "/a/main.py",
	.module = "/a/main.py",
	.line = 10,
};

/* Equal texts at other addresses are the same function. */
static int64_t copied(struct stack_tree *tree, const struct stack_function *function)
{
	struct stack_function copy = *function;
	char *name = strdup(function->name), *module = strdup(function->module);
	char *file = function->file ? strdup(function->file) : NULL;
	int64_t id;

	copy.name = name;
	copy.file = file;
	copy.module = module;
	id = stack_tree__function(tree, &copy);
	/* Nor are the caller's texts needed any longer. */
	memset(name, '?', strlen(name));
	memset(module, '?', strlen(module));
	free(name);
	free(module);
	free(file);
	return id;
}

static void equal_functions_one_id(void **state)
{
	struct stack_tree *tree = stack_tree__new(NULL);
	struct stack_function other[6];
	int64_t id = copied(tree, &work);

	(void)state;
	assert_int_equal(id, 1);
	for (int i = 0; i < 6; i++)
		other[i] = work;
	other[0].kind = FUNCTION_NATIVE;
	other[1].name = "worker";
	other[2].file = NULL;
	other[3].file = "/b/main.py";
	other[4].module = "/b/main.py";
	other[5].line = 11;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 6; i++)
			assert_int_equal(copied(tree, &other[i]), 2 + i);
		assert_int_equal(copied(tree, &work), id);
	}
	stack_tree__free(tree);
	stack_tree__free(NULL);
}

static void equal_paths_one_node(void **state)
{
	struct stack_tree *tree = stack_tree__new(NULL);
	int64_t function = stack_tree__function(tree, &work), frames[3], a, b, c;

	(void)state;
	for (int i = 0; i < 3; i++)
		frames[i] = stack_tree__frame(tree, function, i);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(frames[i], i + 1);
		assert_int_equal(stack_tree__frame(tree, function, i), frames[i]);
	}
	assert_int_equal(stack_tree__frame(tree, function + 1, 0), 4);

	a = stack_tree__push(tree, 0, frames[0]);
	b = stack_tree__push(tree, a, frames[1]);
	c = stack_tree__push(tree, b, frames[0]); /* recursion: another node */
	assert_int_equal(a, 1);
	assert_int_equal(b, 2);
	assert_int_equal(c, 3);
	assert_int_equal(stack_tree__push(tree, 0, frames[1]), 4); /* not the b below a */
	assert_int_equal(stack_tree__push(tree, a, frames[0]), 5);
	assert_int_equal(stack_tree__push(tree, 0, frames[0]), a);
	assert_int_equal(stack_tree__push(tree, a, frames[1]), b);
	assert_int_equal(stack_tree__push(tree, b, frames[0]), c);
	stack_tree__free(tree);
}

static void many_functions(void **state)
{
	struct stack_tree *tree = stack_tree__new(NULL);
	char name[32];

	(void)state;
	for (int round = 0; round < 2; round++) {
		int64_t node = 0;

		for (int64_t i = 1; i <= 5000; i++) {
			struct stack_function function = work;

			snprintf(name, sizeof(name), "function %d", (int)i);
			function.name = name;
			assert_int_equal(stack_tree__function(tree, &function), i);
			assert_int_equal(stack_tree__frame(tree, i, i % 7), i);
			node = stack_tree__push(tree, node, i);
			assert_int_equal(node, i);
		}
	}
	stack_tree__free(tree);
}

static void rows_written_once(void **state)
{
	struct recording_writer *writer;
	struct recording *recording;
	struct stack_tree *tree;
	sqlite3_stmt *statement;
	char expected[96];
	int rows = 0;

	(void)state;
	assert_int_equal(recording_writer__create(path, &writer), 0);
	tree = stack_tree__new(writer);
	for (int round = 0; round < 3; round++) {
		static const enum function_kind kinds[] = {FUNCTION_PYTHON, FUNCTION_NATIVE,
							   FUNCTION_INTERPRETER, FUNCTION_KERNEL};
		int64_t node = 0;

		for (size_t i = 0; i < 4; i++) {
			struct stack_function function = {
				.kind = kinds[i],
				.name = "f",
				.file = i ? NULL : "/a.py",
				.module = "m",
				.line = i ? 0 : 3,
			};
			int64_t id = stack_tree__function(tree, &function);

			node = stack_tree__push(tree, node, stack_tree__frame(tree, id, i ? 0 : 5));
			assert_int_equal(node, i + 1);
		}
	}
	stack_tree__free(tree);
	assert_int_equal(recording_writer__close(writer), 0);

	assert_int_equal(recording__open(path, &recording), 0);
	assert_int_equal(number_in(recording, "SELECT count(*) FROM function"), 4);
	assert_int_equal(number_in(recording, "SELECT count(*) FROM frame"), 4);
	assert_int_equal(number_in(recording, "SELECT count(*) FROM stack"), 4);
	assert_int_equal(recording__prepare(recording,
					    "SELECT s.id || ',' || ifnull(s.parent, '-') || ',' || "
					    "u.kind || ',' || u.name || ',' || "
					    "ifnull(u.file, '-') || ',' || ifnull(u.line, '-') || "
					    "',' || u.module || ',' || ifnull(f.line, '-') "
					    "FROM stack s JOIN frame f ON f.id = s.frame "
					    "JOIN function u ON u.id = f.function ORDER BY s.id",
					    &statement),
			 0);
	while (recording__step(statement) == 1) {
		static const char *const kinds[] = {"python", "native", "interpreter", "kernel"};

		assert_true(rows < 4);
		if (rows)
			snprintf(expected, sizeof(expected), "%d,%d,%s,f,-,-,m,-", rows + 1, rows,
				 kinds[rows]);
		else
			snprintf(expected, sizeof(expected), "1,-,python,f,/a.py,3,m,5");
		assert_string_equal(sqlite3_column_text(statement, 0), expected);
		rows++;
	}
	assert_int_equal(rows, 4);
	sqlite3_finalize(statement);
	recording__close(recording);
}

/* Of a live recording what nobody met for two sweeps is forgotten, with what only that referred to;
 * what is held elsewhere, or reached from there, stays. */
static void forgotten(void **state)
{
	static const struct stack_function inlined = {
		.kind = FUNCTION_NATIVE, .name = "inlined", .module = "m"};
	struct stack_function function = work, found;
	int64_t functions[3], frames[3], held, leaf, gone, parent, chain;
	struct recording_writer *writer;
	struct recording *recording;
	struct stack_tree *tree;

	(void)state;
	assert_int_equal(recording_writer__create(path, &writer), 0);
	tree = stack_tree__new(writer);
	for (int i = 0; i < 3; i++) {
		function.line = 10 + i;
		functions[i] = stack_tree__function(tree, &function);
		frames[i] = stack_tree__frame_at(tree, functions[i], 100 + i);
	}
	held = stack_tree__push(tree, 0, frames[0]);
	leaf = stack_tree__push(tree, held, frames[1]);
	gone = stack_tree__push(tree, held, frames[2]);
	chain = stack_tree__function(tree, &inlined);
	assert_int_equal(
		stack_tree__expand(tree, frames[1], 101,
				   (const struct stack_line[]){{chain, 5}, {functions[1], 6}}, 2),
		0);
	for (int i = 0; i < 4; i++) {
		stack_tree__use(tree, leaf);
		stack_tree__use(tree, 0);
		stack_tree__use(tree, 4711);
		assert_int_equal(stack_tree__sweep(tree, 2), 0);
	}
	assert_int_equal(stack_tree__at(tree, leaf, &found, &parent), 0);
	assert_int_equal(found.line, 11);
	assert_int_equal(parent, held);
	assert_int_equal(stack_tree__at(tree, gone, &found, &parent), -ENOENT);
	/* An answer that comes too late is about nothing. */
	assert_int_equal(stack_tree__expand(tree, frames[2], 102,
					    (const struct stack_line[]){{functions[2], 6}}, 1),
			 0);
	/* The same again is another one. */
	function.line = 12;
	assert_int_equal(stack_tree__function(tree, &function), 5);
	assert_int_equal(stack_tree__frame_at(tree, 5, 102), frames[2] + 1);
	assert_int_equal(stack_tree__push(tree, held, frames[2] + 1), gone + 1);
	assert_int_equal(stack_tree__push(tree, held, frames[1]), leaf);
	assert_int_equal(recording_writer__close(writer), 0);

	assert_int_equal(recording__open(path, &recording), 0);
	assert_int_equal(number_in(recording, "SELECT group_concat(id) = '1,2,4,5' FROM function"),
			 1);
	assert_int_equal(number_in(recording, "SELECT group_concat(id) = '1,2,4' FROM frame"), 1);
	assert_int_equal(number_in(recording, "SELECT group_concat(id) = '1,2,4' FROM stack"), 1);
	assert_int_equal(number_in(recording, "SELECT count(*) FROM inline WHERE frame = 2"), 1);
	recording__close(recording);
	stack_tree__free(tree);
}

/* Fills the queue while the file is locked: what could not be written is no id that others may
 * refer to, and is written when it is met again. */
static void no_id_without_a_row(void **state)
{
	struct recording_writer *writer;
	struct stack_function function = work;
	int64_t id = 1, frame = 1, node = 1, line = 0, leaf = 0;
	struct stack_tree *tree;
	sqlite3 *db;
	char name[65000];

	(void)state;
	assert_int_equal(recording_writer__create(path, &writer), 0);
	assert_int_equal(recording_writer__flush(writer), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);

	tree = stack_tree__new(writer);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	function.name = name;
	for (int i = 0; id > 0 && i < 100000; i++) {
		snprintf(name, 16, "%015d", i);
		name[15] = 'n';
		id = stack_tree__function(tree, &function);
	}
	assert_int_equal(id, -ENOBUFS);
	assert_int_equal(stack_tree__function(tree, &function), -ENOBUFS);
	/* Small rows until not even they have room. */
	while (frame > 0)
		frame = stack_tree__frame(tree, 1, ++line);
	assert_int_equal(frame, -ENOBUFS);
	assert_int_equal(stack_tree__frame(tree, 1, line), -ENOBUFS);
	while (node > 0)
		node = stack_tree__push(tree, 0, ++leaf);
	assert_int_equal(node, -ENOBUFS);
	assert_int_equal(stack_tree__push(tree, 0, leaf), -ENOBUFS);

	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	for (int i = 0; (id = stack_tree__function(tree, &function)) == -ENOBUFS && i < 10000; i++)
		usleep(1000);
	frame = stack_tree__frame(tree, 1, line);
	node = stack_tree__push(tree, 0, leaf);
	assert_true(id > 0);
	assert_int_equal(frame, line);
	assert_int_equal(node, leaf);
	stack_tree__free(tree);
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(number_at(path, "SELECT max(id) FROM function"), id);
	assert_int_equal(number_at(path, "SELECT count(*) FROM function"), id);
	assert_int_equal(number_at(path, "SELECT max(line) FROM frame"), line);
	assert_int_equal(number_at(path, "SELECT count(*) FROM frame"), frame);
	assert_int_equal(number_at(path, "SELECT max(frame) FROM stack"), leaf);
	assert_int_equal(number_at(path, "SELECT count(*) FROM stack"), node);
}

static void native_frames(void **state)
{
	const struct stack_function native = {
		.kind = FUNCTION_NATIVE, .name = "f", .module = "/lib/l.so"};
	struct recording_writer *writer;
	struct stack_line chain[3];
	struct stack_tree *tree;
	int64_t function, frame;

	(void)state;
	assert_int_equal(recording_writer__create(path, &writer), 0);
	tree = stack_tree__new(writer);
	function = stack_tree__function(tree, &native);
	frame = stack_tree__frame_at(tree, function, 4660);
	assert_int_equal(frame, 1);
	/* Neither the line of that number, nor another address. */
	assert_int_equal(stack_tree__frame(tree, function, 4660), 2);
	assert_int_equal(stack_tree__frame(tree, function, 0), 3);
	assert_int_equal(stack_tree__frame_at(tree, function, 4661), 4);
	assert_int_equal(stack_tree__frame_at(tree, function, 4660), frame);
	for (int i = 0; i < 3; i++) {
		chain[i].function = stack_tree__function(tree, &work);
		chain[i].line = i ? 20 + i : 0;
	}
	assert_int_equal(stack_tree__expand(tree, frame, 4660, chain, 3), 0);
	assert_int_equal(stack_tree__expand(tree, 4, 4661, chain + 1, 1), 0);
	assert_int_equal(stack_tree__frame_at(tree, function, 4660), frame);
	stack_tree__free(tree);
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(number_at(path, "SELECT count(*) FROM frame"), 4);
	assert_int_equal(number_at(path, "SELECT line * 10000 + address FROM frame WHERE id = 1"),
			 220000 + 4660);
	assert_int_equal(number_at(path, "SELECT line * 10000 + address FROM frame WHERE id = 4"),
			 210000 + 4661);
	assert_int_equal(number_at(path, "SELECT count(*) FROM frame WHERE address IS NULL"), 2);
	assert_int_equal(number_at(path, "SELECT count(*) FROM inline WHERE frame = 1"), 2);
	assert_int_equal(number_at(path, "SELECT count(*) FROM inline"), 2);
	assert_int_equal(number_at(path, "SELECT line FROM inline WHERE position = 1"), 21);
	assert_int_equal(number_at(path, "SELECT line IS NULL FROM inline WHERE position = 0"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_functions_one_id),
		cmocka_unit_test(equal_paths_one_node),
		cmocka_unit_test(many_functions),
		cmocka_unit_test_setup_teardown(rows_written_once, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(native_frames, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(forgotten, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(no_id_without_a_row, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
