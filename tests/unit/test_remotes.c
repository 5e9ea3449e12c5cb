// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture model store symbols python unwind proc base
/* Remotes of sockets, and waits by what they were for: names and rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "capture/wait_names.h"
#include "model/stack_tree.h"
#include "proc/remote_rule.h"
#include "unit/tracker_fixture.h"

#define AT(ns) (MONO + (ns))

static struct ps_remote internet(int family, const char *address, uint16_t port, uint16_t protocol)
{
	struct ps_remote remote = {.family = (uint16_t)family, .port = port, .protocol = protocol};

	assert_int_equal(inet_pton(family, address, remote.address), 1);
	return remote;
}

static struct ps_remote local(const char *text, size_t size)
{
	struct ps_remote remote = {
		.family = AF_UNIX, .protocol = SOCK_STREAM, .size = (uint8_t)size};

	memcpy(remote.text, text, size < sizeof(remote.text) ? size : sizeof(remote.text));
	return remote;
}

static void tell(uint64_t hash, struct ps_remote remote)
{
	struct ps_remote_event event = {.hash = hash, .remote = remote};

	assert_int_equal(
		remotes__on_event(wait_names__remotes(tracker__wait_names(tracker)), &event), 0);
}

static int64_t row(uint64_t hash)
{
	return remotes__row(wait_names__remotes(tracker__wait_names(tracker)), hash);
}

static void addresses(void **state)
{
	static const struct {
		struct ps_remote remote;
		const char *protocol, *address;
	} cases[] = {
		{{.family = AF_NETLINK}, "netlink", "-"},
		{{.family = 99}, "family 99", "-"},
		{{.family = AF_UNIX}, "unix", "unnamed"},
		{{.family = AF_UNIX, .size = 5, .text = "/a/b"}, "unix", "/a/b"},
		{{.family = AF_UNIX, .size = 4, .text = "\0a\0b"}, "unix", "@a@b"},
		{{.family = AF_INET, .protocol = 6, .port = 80, .address = {10, 1, 2, 3}},
		 "tcp",
		 "10.1.2.3:80"},
		{{.family = AF_INET6, .protocol = 17, .port = 53, .address = {[15] = 1}},
		 "udp",
		 "[::1]:53"},
		{{.family = AF_INET, .protocol = 200}, "ip 200", "0.0.0.0:0"},
	};
	char text[REMOTE_ADDRESS_SIZE], buffer[REMOTE_PROTOCOL_SIZE];
	struct ps_remote longest = local("", 0);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		remote__address(&cases[i].remote, text);
		assert_string_equal(text, cases[i].address);
		assert_string_equal(remote__protocol(&cases[i].remote, buffer), cases[i].protocol);
	}
	/* BPF tells no longer ones; all is bounded. */
	memset(longest.text, 'x', sizeof(longest.text));
	longest.size = UINT8_MAX;
	remote__address(&longest, text);
	assert_int_equal(strlen(text), PS_REMOTE_TEXT);
}

static void rows(void **state)
{
	struct ps_remote own = internet(AF_INET, "10.0.0.1", 5432, IPPROTO_TCP);
	int64_t first, second;

	(void)state;
	own.side = PS_REMOTE_OWN;
	tell(1, internet(AF_INET, "10.0.0.1", 5432, IPPROTO_TCP));
	tell(3, internet(AF_INET6, "2001:db8::1", 443, IPPROTO_TCP));
	tell(5, local("/run/.s.PGSQL.5432", 19));
	tell(7, own);
	tell(9, internet(AF_INET, "10.0.0.1", 5432, IPPROTO_TCP)); /* another hash, the same text */
	tell(1, internet(AF_INET, "10.9.9.9", 1, IPPROTO_TCP)); /* what was told first stays */
	first = row(1);
	assert_true(first >= REMOTES_FIRST_ROW);
	assert_int_equal(row(1), first);
	assert_int_equal(row(9), first);
	second = row(3);
	assert_true(second > first);
	assert_true(row(5) > second && row(7) > second);
	assert_int_equal(row(11), row(13)); /* never told */
	assert_null(remotes__rule(wait_names__remotes(tracker__wait_names(tracker)), 11));
	read_back();
	assert_int_equal(number("SELECT count(*) FROM remote"), 5);
	assert_int_equal(number("SELECT count(*) FROM remote JOIN file ON id = file WHERE "
				"kind = 'socket' AND filesystem = 'socket'"),
			 5);
	assert_int_equal(number("SELECT file FROM remote JOIN file ON id = file WHERE "
				"path = 'tcp 10.0.0.1:5432' AND protocol = 'tcp' AND port = 5432 "
				"AND address = '10.0.0.1' AND NOT own AND rule = 'postgresql' AND "
				"service = 'registry database'"),
			 first);
	assert_int_equal(number("SELECT count(*) FROM remote WHERE address = '2001:db8::1' AND "
				"port = 443 AND service = 'web/object storage'"),
			 1);
	assert_int_equal(number("SELECT count(*) FROM remote WHERE protocol = 'unix' AND port IS "
				"NULL AND address = '/run/.s.PGSQL.5432' AND service NOT NULL"),
			 1);
	/* Who listens does not wait for itself. */
	assert_int_equal(number("SELECT count(*) FROM remote JOIN file ON id = file WHERE own AND "
				"path = 'tcp 10.0.0.1:5432 (own end)' AND service IS NULL"),
			 1);
	assert_int_equal(number("SELECT count(*) FROM remote WHERE address = '[unknown]'"), 1);
}

/* More than have a row of their own share one per service. */
static void too_many(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < REMOTES_MOST + 10; i++) {
		struct ps_remote remote = internet(AF_INET, "10.0.0.1", 9999, IPPROTO_TCP);

		remote.address[1] = (uint8_t)(i >> 16);
		remote.address[2] = (uint8_t)(i >> 8);
		remote.address[3] = (uint8_t)i;
		if (i == REMOTES_MOST + 9)
			remote.port = 5432;
		tell(2 * i + 1, remote);
		assert_true(row(2 * i + 1) > 0);
	}
	read_back();
	assert_int_equal(number("SELECT count(*) FROM remote"), REMOTES_MOST + 2);
	assert_int_equal(number("SELECT count(*) FROM remote WHERE address = '[others]' AND port "
				"IS NULL"),
			 2);
	assert_int_equal(number("SELECT count(*) FROM remote WHERE address = '[others]' AND "
				"service = 'registry database'"),
			 1);
}

static void snapshot(uint64_t now_ns, const struct ps_waits *waits)
{
	struct ps_task_event task = {
		.event = {.time_ns = now_ns, .tgid = JOB, .tid = JOB},
		.start_boot_ns = born(1),
		.cpu_ns = 1,
		.comm = "task",
		.waits = *waits,
	};

	tracker__snapshot_begin(tracker, false);
	assert_int_equal(tracker__snapshot_task(tracker, &task), 0);
}

#define DATABASE 101
#define PLAIN	 103
#define LATE	 105

static void waits(void **state)
{
	struct ps_waits seen = {
		.ns[PS_WAIT_SOCKET] = 7,
		.count[PS_WAIT_SOCKET] = 1,
		.details = {{PS_WAIT_KEY(PS_WAIT_SOCKET, DATABASE), 1000, 10},
			    {PS_WAIT_KEY(PS_WAIT_SOCKET, PLAIN), 200, 2},
			    {PS_WAIT_KEY(PS_WAIT_SOCKET, LATE), 50, 1},
			    {PS_WAIT_KEY(PS_WAIT_OTHER, 1 + SYS_flock), 30, 3},
			    {PS_WAIT_KEY(PS_WAIT_OTHER, 1 + SYS_ioctl), 4, 1}},
	};
	static const char more[] = "[wait f]\ncall = flock\nwait = file_lock\n";

	(void)state;
	assert_int_equal(rules__add_text(rules, "t", more, strlen(more), NULL, NULL), 0);
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	tell(DATABASE, internet(AF_INET, "10.0.0.1", 5432, IPPROTO_TCP));
	tell(PLAIN, internet(AF_INET, "10.0.0.1", 9999, IPPROTO_TCP));
	snapshot(AT(2 * SECOND), &seen);
	/* Told after its waits were read, before they are charged. */
	tell(LATE, internet(AF_INET, "10.0.0.2", 5432, IPPROTO_TCP));
	assert_int_equal(tracker__snapshot_end(tracker), 0);
	tracker__set_slice(tracker, 1);
	seen.details[0].ns += 500;
	seen.details[0].count += 5;
	snapshot(AT(3 * SECOND), &seen);
	assert_int_equal(tracker__snapshot_end(tracker), 0);
	read_back();
	assert_int_equal(number("SELECT sum(ns) FROM wait WHERE class = 'registry_database' AND "
				"slice = 0"),
			 1050);
	assert_int_equal(number("SELECT sum(ns) FROM wait WHERE class = 'registry_database' AND "
				"slice = 1"),
			 500);
	assert_int_equal(number("SELECT sum(ns) FROM wait WHERE class = 'socket'"), 207);
	assert_int_equal(number("SELECT sum(count) FROM wait WHERE class = 'file_lock'"), 3);
	assert_int_equal(number("SELECT sum(ns) FROM wait WHERE class = 'other:ioctl'"), 4);
	assert_int_equal(number("SELECT count(*) FROM (SELECT class, sum(ns), sum(count) FROM wait "
				"GROUP BY 1 EXCEPT SELECT class, sum(ns), sum(count) FROM "
				"thread_wait GROUP BY 1)"),
			 0);
	assert_int_equal(number("SELECT sum(ns) FROM wait_on JOIN file ON id = file WHERE path = "
				"'tcp 10.0.0.1:5432' AND class = 'registry_database'"),
			 1500);
	assert_int_equal(number("SELECT sum(count) FROM wait_on"), 18);
	assert_int_equal(number("SELECT count(*) FROM wait_class WHERE NOT estimated AND "
				"((name = 'registry_database' AND part_of = 'socket' AND rule = "
				"'postgresql') OR (name = 'file_lock' AND part_of = 'other' AND "
				"rule = 'f'))"),
			 2);
	assert_int_equal(number("SELECT count(*) FROM wait_class"), 2);
}

static int64_t push(struct stack_tree *tree, int64_t parent, enum function_kind kind,
		    const char *name)
{
	const struct stack_function function = {.kind = kind, .name = name, .module = "m"};
	int64_t id = stack_tree__function(tree, &function);

	return stack_tree__push(tree, parent, stack_tree__frame(tree, id, 0));
}

static void by_stack(void **state)
{
	static const char more[] =
		"[wait late]\nclass = registry_database\nframe = query\n"
		"wait = gil\n"; /* gil is a part of lock already */
	struct stack_tree *tree = stack_tree__new(writer);
	struct wait_names *names = tracker__wait_names(tracker);
	int64_t outer, gil, plain, query;
	int err = 0;

	(void)state;
	assert_int_equal(rules__add_text(rules, "t", more, strlen(more), NULL, NULL), 0);
	assert_non_null(tree);
	outer = push(tree, 0, FUNCTION_PYTHON, "work");
	query = push(tree, outer, FUNCTION_PYTHON, "query");
	gil = push(tree, push(tree, outer, FUNCTION_INTERPRETER, "take_gil"), FUNCTION_KERNEL,
		   "futex_wait");
	plain = push(tree, outer, FUNCTION_KERNEL, "futex_wait");
	for (int twice = 0; twice < 2; twice++) {
		assert_string_equal(wait_names__finer(names, tree, "lock", gil, &err), "gil");
		assert_string_equal(wait_names__finer(names, tree, "lock", plain, &err), "lock");
		assert_string_equal(wait_names__finer(names, tree, "lock", ROW_NULL, &err), "lock");
		assert_string_equal(wait_names__finer(names, tree, "lock", 9999, &err), "lock");
		assert_string_equal(wait_names__finer(names, tree, "pipe", gil, &err), "pipe");
		assert_string_equal(
			wait_names__finer(names, tree, "registry_database", query, &err),
			"registry_database");
	}
	assert_int_equal(err, 0);
	read_back();
	stack_tree__free(tree);
	assert_int_equal(number("SELECT count(*) FROM wait_class WHERE name = 'gil' AND part_of = "
				"'lock' AND rule = 'gil' AND estimated"),
			 1);
	assert_int_equal(number("SELECT count(*) FROM wait_class"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_recording, end_recording)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		TEST(rows),
		TEST(too_many),
		TEST(waits),
		TEST(by_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
