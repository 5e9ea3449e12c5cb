// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python proc base
#include "unit/python_child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strings.h"
#include "python/binary.h"
#include "python/objects.h"

struct child {
	pid_t pid;
	FILE *from, *to;
	struct process_memory memory;
	struct python_binary binary;
	uint64_t runtime;
};

static struct string_pool *pool;

static void find_runtime(struct child *child)
{
	char path[64], line[PATH_MAX + 128], name[PATH_MAX];
	unsigned long start, offset;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", child->pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (!child->runtime && fgets(line, sizeof(line), maps)) {
		_cleanup_close_ int fd = -1;

		if (sscanf(line, "%lx-%*x %*s %lx %*s %*s %4095[^\n]", &start, &offset, name) !=
			    3 ||
		    offset || name[0] != '/')
			continue;
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && !python_binary__probe(fd, &child->binary))
			child->runtime = child->binary.runtime + start - first_address(fd);
	}
	fclose(maps);
	assert_int_not_equal(child->runtime, 0);
}

static void start_child(struct child *child, const char *command)
{
	memset(child, 0, sizeof(*child));
	child->pid = start_script(command, "python_objects.py", &child->to, &child->from);
	child->memory = process_memory__of(child->pid);
}

static void end_child(struct child *child)
{
	int status;

	fclose(child->to);
	fclose(child->from);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_int_equal(status, 0);
}

/* One path, twice: the second time it is found where it was. */
static void check_path(struct child *child, uint64_t start, const char *how, const char *told,
		       const char *text)
{
	struct object_path path;
	const char *error = NULL;
	uint32_t reads[2];

	assert_int_equal(object_path__parse(pool, text, &path, &error), 0);
	for (int i = 0; i < 2; i++) {
		struct python_reader reader = python_reader__of(
			&child->memory.memory, &child->binary.layout, child->runtime);
		char uuid[PYTHON_UUID_SIZE];
		_cleanup_free_ char *got = NULL, *wanted = NULL;
		uint64_t object, number;
		int err = python_object__follow(&reader, start, &path, &object);

		if (!err && !strcmp(how, "uuid"))
			err = python_object__uuid(&reader, object, uuid);
		else if (!err && !strcmp(how, "count"))
			err = python_object__count(&reader, object, &number);
		else if (!err)
			err = python_object__text(&reader, object, 256, &got);
		if (!err && !strcmp(how, "count") && asprintf(&got, "%" PRIu64, number) < 0)
			fail();
		reads[i] = PYTHON_READS_LIMIT - reader.reads_left;
		if (told[0] == '-') {
			if (err != -ENOENT && err != -E2BIG)
				fail_msg("%s (%s): error %d", text, told, err);
			continue;
		}
		if (err)
			fail_msg("%s (%s): error %d", text, told, err);
		wanted = parse_hex(told + 1);
		assert_string_equal(!strcmp(how, "uuid") ? uuid : got, wanted);
	}
	assert_true(reads[1] <= reads[0]);
}

static void check_local(struct child *child, uint64_t code, const char *name, int slot, int cell)
{
	struct python_reader reader =
		python_reader__of(&child->memory.memory, &child->binary.layout, child->runtime);
	struct python_local local = {.slot = 77};
	int err = python_code__local(&reader, code, name, &local);

	if (slot < 0) {
		assert_int_equal(err, -ENOENT);
		assert_int_equal(local.slot, 77);
		return;
	}
	assert_int_equal(err, 0);
	assert_int_equal(local.slot, slot);
	assert_int_equal(local.is_cell, cell);
}

struct members {
	struct python_reader *reader;
	char text[512];
};

static int take_member(void *context, const char *key, uint64_t object)
{
	struct members *members = context;
	_cleanup_free_ char *value = NULL;
	size_t size = strlen(members->text);

	assert_int_equal(python_object__text(members->reader, object, 64, &value), 0);
	snprintf(members->text + size, sizeof(members->text) - size, "%s=%s;", key, value);
	return 0;
}

static void check_members(struct child *child, uint64_t dict, const char *wanted)
{
	struct python_reader reader =
		python_reader__of(&child->memory.memory, &child->binary.layout, child->runtime);
	struct members members = {.reader = &reader};

	assert_int_equal(python_object__members(&reader, dict, take_member, &members), 0);
	assert_string_equal(members.text, wanted);
}

struct told {
	char members[512];
	uint64_t dict;
	int paths, locals;
};

static void take_line(struct child *child, char *line, struct told *told)
{
	char *word[6] = {line}, *rest = line;
	uint64_t address;
	size_t size;

	for (int i = 0; i < 5 && rest; i++)
		word[i] = i < 4 ? strsep(&rest, " ") : rest;
	address = strtoull(word[1], NULL, 16);
	if (!strcmp(word[0], "path")) {
		check_path(child, address, word[2], word[3], word[4]);
		told->paths++;
	} else if (!strcmp(word[0], "local")) {
		check_local(child, address, word[2], atoi(word[3]), atoi(word[4]));
		told->locals++;
	} else if (!strcmp(word[0], "member")) {
		_cleanup_free_ char *value = parse_hex(word[3]);

		told->dict = address;
		size = strlen(told->members);
		snprintf(told->members + size, sizeof(told->members) - size, "%s=%s;", word[2],
			 value);
	}
}

#define MAX_LINES 512

static void check_interpreter(const char *command)
{
	char *lines[MAX_LINES], *line = NULL;
	size_t capacity = 0, count = 0;
	struct told told = {0};
	struct child child;
	bool ready = false;

	start_child(&child, command);
	while (!ready && getline(&line, &capacity, child.from) > 0) {
		line[strcspn(line, "\n")] = '\0';
		ready = !strcmp(line, "ready");
		assert_true(count < MAX_LINES);
		if (!ready)
			lines[count++] = strdup(line);
	}
	free(line);
	assert_true(ready);
	find_runtime(&child);
	for (size_t i = 0; i < count; i++) {
		take_line(&child, lines[i], &told);
		free(lines[i]);
	}
	assert_true(told.paths > 90);
	assert_true(told.locals > 15);
	check_members(&child, told.dict, told.members);
	print_message("  %s: %d paths, %d local variables\n", command, told.paths, told.locals);
	end_child(&child);
}

static void live(void **state)
{
	(void)state;
	find_interpreters();
	for (int minor = FIRST_MINOR; minor <= LAST_MINOR; minor++) {
		int index = next_interpreter(minor, -1);

		if (index < 0)
			print_message("SKIP: no CPython 3.%d here\n", minor);
		for (; index >= 0; index = next_interpreter(minor, index))
			check_interpreter(interpreters[index].command);
	}
	if (!interpreter_count)
		skip();
}

/* --- paths as text */

static void paths(void **state)
{
	static const char *const wrong[] = {"",		".",
					    "a.",	"a..b",
					    "a[",	"a[]",
					    "a[x]",	"a[-1]",
					    "a[10000]", "a['']",
					    "a['x]",	"a['x'",
					    "a[\"x']",	"1a",
					    "a b",	"a.b c",
					    ":a",	"a:",
					    "a:1",	"a-b:c",
					    "a.b()",	"a.b.c.d.e.f.g.h.i.j.k.l",
					    "\xc3\xa9", "a[1][2]]"};
	struct object_path path;
	const char *error = NULL;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		error = NULL;
		if (object_path__parse(pool, wrong[i], &path, &error) != -EBADMSG)
			fail_msg("'%s' is taken", wrong[i]);
		assert_non_null(error);
	}
	memset(text, 'a', sizeof(text));
	text[65] = '\0';
	assert_int_equal(object_path__parse(pool, text, &path, &error), -EBADMSG);
	assert_int_equal(object_path__parse(pool, "m.n:C._t['RUN'][12].__class__", &path, &error),
			 0);
	assert_string_equal(path.module, "m.n");
	assert_string_equal(path.variable, "C");
	assert_int_equal(path.step_count, 4);
	assert_int_equal(path.steps[0].kind, OBJECT_STEP_ATTRIBUTE);
	assert_string_equal(path.steps[0].name, "_t");
	assert_int_equal(path.steps[1].kind, OBJECT_STEP_KEY);
	assert_string_equal(path.steps[1].name, "RUN");
	assert_int_equal(path.steps[2].kind, OBJECT_STEP_INDEX);
	assert_int_equal(path.steps[2].index, 12);
	assert_int_equal(path.steps[3].kind, OBJECT_STEP_CLASS);
}

/* --- hostile memory */

#define WORLD 0x100000

struct bytes_memory {
	struct memory memory;
	uint8_t bytes[65536];
};

static int bytes_read(const struct memory *memory, uint64_t address, void *destination, size_t size)
{
	const struct bytes_memory *bytes = (const void *)memory;

	if (address < WORLD || address - WORLD > sizeof(bytes->bytes) ||
	    size > sizeof(bytes->bytes) - (address - WORLD))
		return -EFAULT;
	memcpy(destination, bytes->bytes + (address - WORLD), size);
	return 0;
}

/* Every word points at the same object, which is all things at once: every walk must end. */
static void ring(void **state)
{
	static struct bytes_memory world = {.memory.read = bytes_read};
	const struct python_layout *layouts[] = {
		python_layout__of(0x0308), python_layout__of(0x030b), python_layout__of(0x030c)};
	const uint64_t flags[] = {~0ULL,     1UL << 29, 1UL << 31, 1UL << 26 | 1UL << 25,
				  1UL << 28, 1UL << 24, 1UL << 4,  0};
	struct object_path path;
	const char *error;

	(void)state;
	assert_int_equal(object_path__parse(pool, "x.a[0]['b'].__class__.c.d", &path, &error), 0);
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++) {
			struct python_reader reader =
				python_reader__of(&world.memory, layouts[i], WORLD + 4096);
			const uint64_t word = WORLD + 8192;
			struct python_local local;
			_cleanup_free_ char *text = NULL;
			uint64_t object;

			for (size_t at = 0; at < sizeof(world.bytes); at += sizeof(word))
				memcpy(world.bytes + at, &word, sizeof(word));
			memcpy(world.bytes + 8192 + layouts[i]->type_flags, &flags[j],
			       sizeof(flags[j]));
			assert_int_not_equal(python_object__follow(&reader, word, &path, &object),
					     0);
			if (!python_object__text(&reader, word, 64, &text))
				assert_true(strlen(text) <= 64);
			assert_int_not_equal(python_code__local(&reader, word, "x", &local), 0);
		}
	}
}

/* A budget that is used up ends everything. */
static void budget(void **state)
{
	static struct bytes_memory world = {.memory.read = bytes_read};
	struct python_reader reader =
		python_reader__of(&world.memory, python_layout__of(0x030b), 0);
	char *text = NULL;
	uint64_t object;

	(void)state;
	reader.reads_left = 0;
	assert_int_equal(python_object__text(&reader, WORLD, 64, &text), -E2BIG);
	assert_int_equal(python_object__item(&reader, WORLD, 0, &object), -E2BIG);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(live),
		cmocka_unit_test(ring),
		cmocka_unit_test(budget),
	};
	int failed;

	pool = string_pool__new();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	string_pool__free(pool);
	return failed;
}
