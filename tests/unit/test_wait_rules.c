// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
/* Rules of the kinds remote and wait: what they say of a remote, a system call, a stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "proc/remote_rule.h"
#include "proc/rules.h"
#include "proc/wait_rule.h"

static struct rules *new_rules(const char *text)
{
	struct rules *rules = NULL;

	assert_int_equal(rules__new(&rules), 0);
	if (text)
		assert_int_equal(rules__add_text(rules, "t", text, strlen(text), NULL, NULL), 0);
	return rules;
}

static const char *service_of(struct rules *rules, const char *protocol, const char *address,
			      uint16_t port, const char *path)
{
	struct remote_facts facts = {.protocol = protocol, .port = port, .path = path};
	const struct remote_rule *rule;

	if (address && strchr(address, ':'))
		facts.address_size = 16;
	else if (address)
		facts.address_size = 4;
	if (address)
		assert_int_equal(inet_pton(facts.address_size == 16 ? AF_INET6 : AF_INET, address,
					   facts.address),
				 1);
	rule = rules__remote(rules, &facts);
	return rule ? rule->service : "-";
}

static void built_in_remotes(void **state)
{
	struct rules *rules = new_rules(NULL);

	(void)state;
	assert_string_equal(service_of(rules, "tcp", "10.1.2.3", 5432, NULL), "registry database");
	assert_string_equal(service_of(rules, "tcp", "2001:db8::1", 443, NULL),
			    "web/object storage");
	assert_string_equal(service_of(rules, "udp", "10.1.2.3", 53, NULL), "name server");
	assert_string_equal(service_of(rules, "udp", "10.1.2.3", 5432, NULL), "-");
	assert_string_equal(service_of(rules, "tcp", "10.1.2.3", 5433, NULL), "-");
	assert_string_equal(service_of(rules, "unix", NULL, 0, "/run/postgresql/.s.PGSQL.5432"),
			    "registry database");
	assert_string_equal(service_of(rules, "unix", NULL, 0, "/run/other.sock"), "-");
	assert_string_equal(service_of(rules, "netlink", NULL, 0, NULL), "-");
	rules__free(rules);
}

static void networks_and_ports(void **state)
{
	struct rules *rules = new_rules(
		"[remote a]\n"
		"address = 10.20.0.0/15 2001:db8::/33 192.168.1.7\n"
		"port = 9 100-200\nservice = a\n"
		"[remote b]\naddress = 0.0.0.0/0\nport = 9\nservice = b\n"
		"[remote c]\nprotocol = unix\npath = @* /x/*\nservice = c\n"
		"[remote d]\nprotocol = ra?\nservice = d\n");

	(void)state;
	assert_string_equal(service_of(rules, "tcp", "10.20.0.1", 9, NULL), "a");
	assert_string_equal(service_of(rules, "tcp", "10.21.255.255", 100, NULL), "a");
	assert_string_equal(service_of(rules, "tcp", "10.22.0.0", 150, NULL), "-");
	assert_string_equal(service_of(rules, "tcp", "10.22.0.0", 9, NULL), "b");
	assert_string_equal(service_of(rules, "udp", "192.168.1.7", 200, NULL), "a");
	assert_string_equal(service_of(rules, "udp", "192.168.1.6", 200, NULL), "-");
	assert_string_equal(service_of(rules, "tcp", "2001:db8:7fff::", 200, NULL), "a");
	assert_string_equal(service_of(rules, "tcp", "2001:db8:8000::", 200, NULL), "-");
	/* An address of the other kind is in no network. */
	assert_string_equal(service_of(rules, "tcp", "::", 9, NULL), "-");
	assert_string_equal(service_of(rules, "unix", NULL, 0, "@abstract"), "c");
	assert_string_equal(service_of(rules, "unix", NULL, 0, "/x/y/z"), "c");
	assert_string_equal(service_of(rules, "unix", NULL, 0, NULL), "-");
	assert_string_equal(service_of(rules, "raw", "10.0.0.1", 0, NULL), "d");
	rules__free(rules);
}

struct stack {
	const struct wait_frame *frames; /* ends without name */
};

static bool frame_at(void *context, size_t index, struct wait_frame *ret_frame)
{
	const struct stack *stack = context;

	for (size_t i = 0; i <= index; i++)
		if (!stack->frames[i].name)
			return false;
	*ret_frame = stack->frames[index];
	return true;
}

static const char *wait_of(struct rules *rules, const char *class, const struct wait_frame *frames)
{
	struct stack stack = {frames};
	const struct wait_rule *rule = rules__wait_stack(rules, class, frame_at, &stack);

	return rule ? rule->wait : class;
}

#define STACK(...) ((const struct wait_frame[]){__VA_ARGS__, {NULL, NULL, NULL}})
#define KERNEL                                                                                     \
	{"kernel", "futex_wait", "kernel"},                                                        \
	{                                                                                          \
		"kernel", "do_syscall_64", "kernel"                                                \
	}

static void built_in_waits(void **state)
{
	struct rules *rules = new_rules(NULL);

	(void)state;
	assert_true(rules__refines(rules, "lock"));
	assert_false(rules__refines(rules, "pipe"));
	assert_string_equal(wait_of(rules, "lock",
				    STACK(KERNEL, {"native", "pthread_cond_timedwait", "libc"},
					  {"interpreter", "take_gil", "python3"})),
			    "gil");
	/* Without names for static functions. */
	assert_string_equal(
		wait_of(rules, "lock",
			STACK(KERNEL, {"native", "pthread_cond_timedwait@@GLIBC_2.3.2", "libc"},
			      {"interpreter", "python3+0x1234", "python3"})),
		"gil");
	/* Another lock of the interpreter, and the condition variable of a library. */
	assert_string_equal(
		wait_of(rules, "lock",
			STACK(KERNEL, {"native", "sem_clockwait", "libc"},
			      {"interpreter", "PyThread_acquire_lock_timed", "python3"})),
		"lock");
	assert_string_equal(wait_of(rules, "lock",
				    STACK(KERNEL, {"native", "pthread_cond_wait", "libc"},
					  {"native", "blas_thread_server", "libopenblas"},
					  {"interpreter", "main", "python3"})),
			    "lock");
	/* Only of its own class, and not of a Python function of the same name's end. */
	assert_string_equal(wait_of(rules, "sleep", STACK({"interpreter", "take_gil", "p"})),
			    "sleep");
	assert_string_equal(
		wait_of(rules, "page_fault",
			STACK({"kernel", "filemap_fault", "kernel"}, {"python", "read", "a.py"})),
		"mapped_file");
	assert_string_equal(
		wait_of(rules, "page_fault", STACK({"python", "filemap_fault", "a.py"})),
		"page_fault");
	assert_string_equal(wait_of(rules, "page_fault", STACK({"kernel", "do_swap_page", "k"})),
			    "swap");
	rules__free(rules);
}

static void calls(void **state)
{
	struct rules *rules = new_rules(
		"[wait a]\ncall = flock fcntl\nwait = file_lock\n"
		"[wait b]\nclass = socket\nframe = ns::f:* ns::g\n"
		"caller = python:*.run\nwait = b\n"
		"[wait gil]\ncall = keyctl\nwait = keys\n");
	uint8_t marked[PS_SYSCALL_LIMIT] = {};
	unsigned int count = 0;

	(void)state;
	rules__wait_calls(rules, marked);
	for (size_t i = 0; i < PS_SYSCALL_LIMIT; i++)
		count += marked[i];
	assert_int_equal(count, 3);
	assert_true(marked[SYS_flock] && marked[SYS_fcntl] && marked[SYS_keyctl]);
	assert_string_equal(rules__wait_call(rules, "fcntl")->wait, "file_lock");
	assert_null(rules__wait_call(rules, "read"));
	/* "ns::g" is no kind and name. */
	assert_string_equal(wait_of(rules, "socket",
				    STACK({"native", "ns::g", "l"}, {"python", "Job.run", "a.py"})),
			    "b");
	assert_string_equal(wait_of(rules, "socket",
				    STACK({"native", "ns::g", "l"}, {"native", "Job.run", "l"})),
			    "socket");
	assert_string_equal(wait_of(rules, "socket", STACK({"native", "ns::g", "l"})), "socket");
	/* A rule of a file with the name of a built-in one takes its place. */
	assert_string_equal(wait_of(rules, "lock", STACK({"interpreter", "take_gil", "p"})),
			    "lock");
	rules__free(rules);
}

static void printed(void **state)
{
	struct rules *rules = new_rules(
		"[remote a]\nprotocol = tcp\nport = 9 100-200\naddress = 10.0.0.0/8\n"
		"service = my service\nwait = my_service\n"
		"[wait b]\nclass = lock\nframe = x native:y\ncaller = z\nwait = w\n"
		"[wait c]\ncall = flock\nwait = v\n");
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		rules__print(rules, i, stream);
	fclose(stream);
	assert_string_equal(text,
			    "t:1: remote a: protocol tcp port 9 100-200 address 10.0.0.0/8 -> "
			    "service my service, wait my_service\n"
			    "t:7: wait b: of class lock, in a function x native:y called by z -> "
			    "w, estimated from samples\n"
			    "t:12: wait c: in the call flock -> v, exact\n");
	rules__free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_remotes), cmocka_unit_test(networks_and_ports),
		cmocka_unit_test(built_in_waits),   cmocka_unit_test(calls),
		cmocka_unit_test(printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
