// SPDX-License-Identifier: GPL-2.0-or-later
// Links: symbols base
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "symbols/kernel.h"

static char work[64];

static void path_of(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", work, name);
}

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *stream;

	path_of(path, sizeof(path), name);
	stream = fopen(path, "w");
	assert_non_null(stream);
	assert_int_equal(fputs(text, stream) >= 0, 1);
	assert_int_equal(fclose(stream), 0);
}

static const char kallsyms[] =
	"ffffffff81000000 T _text\n"
	"ffffffff81000000 t a_local\n"
	"ffffffff81000000 T __text_too\n"
	"ffffffff81000100 t first\n"
	"ffffffff81000200 W second\n"
	"ffffffff81000300 D some_data\n"
	"ffffffff81000400 d more_data\n"
	"ffffffff81000500 T third\n"
	"ffffffffc0001000 t in_module\t[ext4]\n"
	"ffffffffc0002000 t other\t[xfs]\n"
	"ffffffffc0009000 t bpf_prog_0123456789abcdef_walk\t[bpf]\n"
	"ffffffffc0000800 t earlier\t[ext4]\n"
	"0000000000001000 A per_cpu\n";

static struct kernel_symbols *kernel_of(const char *text, unsigned int interval_ms)
{
	struct kernel_symbols *symbols = NULL;
	char path[256];

	write_file("kallsyms", text);
	path_of(path, sizeof(path), "kallsyms");
	assert_int_equal(kernel_symbols__new_from(path, interval_ms, &symbols), 0);
	return symbols;
}

static void assert_kernel(const struct kernel_symbols *symbols, uint64_t address, const char *name,
			  const char *module, uint64_t start)
{
	struct kernel_symbol found = {.name = "untouched"};

	if (!name) {
		assert_int_equal(kernel_symbols__find(symbols, address, &found), -ENOENT);
		assert_string_equal(found.name, "untouched");
		return;
	}
	assert_int_equal(kernel_symbols__find(symbols, address, &found), 0);
	assert_string_equal(found.name, name);
	assert_int_equal(found.start, start);
	if (module)
		assert_string_equal(found.module, module);
	else
		assert_null(found.module);
}

static void test_kallsyms(void **state)
{
	struct kernel_symbols *symbols = kernel_of(kallsyms, 0);
	static const char *const bad[] = {
		"",
		"nonsense\n",
		"ffffffff81000000\n",
		"ffffffff81000000 T \n",
		"ffffffff81000000 T name\t[open\n",
		"fffffffffffffffff T name\n",
	};
	struct kernel_symbols *none = (void *)0x1;
	char path[256];

	(void)state;
	assert_int_equal(kernel_symbols__count(symbols), 8);
	assert_kernel(symbols, 0xffffffff81000000, "_text", NULL, 0xffffffff81000000);
	assert_kernel(symbols, 0xffffffff810001ff, "first", NULL, 0xffffffff81000100);
	assert_kernel(symbols, 0xffffffff810002ff, "second", NULL, 0xffffffff81000200);
	assert_kernel(symbols, 0xffffffff81000300, NULL, NULL, 0);
	assert_kernel(symbols, 0xffffffff810004ff, NULL, NULL, 0);
	assert_kernel(symbols, 0xffffffff81000500 + 0x1ffff, "third", NULL, 0xffffffff81000500);
	assert_kernel(symbols, 0xffffffff81000500 + 0x20000, NULL, NULL, 0);
	assert_kernel(symbols, 0xffffffffc0000800, "earlier", "ext4", 0xffffffffc0000800);
	assert_kernel(symbols, 0xffffffffc0001fff, "in_module", "ext4", 0xffffffffc0001000);
	assert_kernel(symbols, 0xffffffffc0002000, "other", "xfs", 0xffffffffc0002000);
	assert_kernel(symbols, 0xffffffffc0009004, "bpf_prog_0123456789abcdef_walk", "bpf",
		      0xffffffffc0009000);
	assert_kernel(symbols, 0, NULL, NULL, 0);
	assert_kernel(symbols, UINT64_MAX, NULL, NULL, 0);
	kernel_symbols__free(symbols);
	kernel_symbols__free(NULL);

	path_of(path, sizeof(path), "kallsyms");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		write_file("kallsyms", bad[i]);
		assert_int_equal(kernel_symbols__new_from(path, 0, &none), -EBADMSG);
	}
	write_file("kallsyms",
		   "0000000000000000 T _text\n0000000000000000 t first\t[ext4]\n"
		   "0000000000000000 D data\n");
	assert_int_equal(kernel_symbols__new_from(path, 0, &none), -EPERM);
	path_of(path, sizeof(path), "no such file");
	assert_int_equal(kernel_symbols__new_from(path, 0, &none), -ENOENT);
	assert_ptr_equal(none, (void *)0x1);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void test_refresh(void **state)
{
	struct kernel_symbols *symbols = kernel_of(kallsyms, 3600 * 1000);
	uint64_t started, took;

	(void)state;
	assert_int_equal(kernel_symbols__refresh(symbols), -EAGAIN);
	kernel_symbols__free(symbols);

	started = now_us();
	symbols = kernel_of(kallsyms, 0);
	took = now_us() - started;
	write_file("kallsyms", "ffffffffc0001000 t newcomer\t[nfs]\n");
	usleep((useconds_t)(took * 100 + 1000));
	assert_int_equal(kernel_symbols__refresh(symbols), 0);
	assert_kernel(symbols, 0xffffffffc0001001, "newcomer", "nfs", 0xffffffffc0001000);
	assert_kernel(symbols, 0xffffffff81000100, NULL, NULL, 0);

	/* The old names stay when the new ones cannot be had. */
	write_file("kallsyms", "nonsense\n");
	usleep((useconds_t)(took * 100 + 1000));
	assert_int_equal(kernel_symbols__refresh(symbols), -EBADMSG);
	assert_kernel(symbols, 0xffffffffc0001001, "newcomer", "nfs", 0xffffffffc0001000);
	kernel_symbols__free(symbols);
}

static void test_real_kallsyms(void **state)
{
	_cleanup_fclose_ FILE *stream = NULL;
	struct kernel_symbols *symbols = NULL;
	char line[2048], name[1024], type;
	size_t lines = 0, compared = 0;
	uint64_t address, started = now_us();
	int err = kernel_symbols__new(&symbols);

	(void)state;
	if (err == -EPERM || err == -ENOENT) {
		print_message("SKIP: /proc/kallsyms: %s\n", strerror(-err));
		skip();
	}
	assert_int_equal(err, 0);
	print_message("kallsyms: %zu functions, %zu bytes, %" PRIu64 " us\n",
		      kernel_symbols__count(symbols), kernel_symbols__bytes(symbols),
		      now_us() - started);
	assert_true(kernel_symbols__bytes(symbols) < kernel_symbols__count(symbols) * 80);
	stream = fopen("/proc/kallsyms", "re");
	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream)) {
		struct kernel_symbol found;

		if (sscanf(line, "%" SCNx64 " %c %1023s", &address, &type, name) != 3 ||
		    !strchr("tT", type) || (lines++ % 97 && strcmp(name, "schedule")))
			continue;
		assert_int_equal(kernel_symbols__find(symbols, address, &found), 0);
		assert_int_equal(found.start, address);
		compared += !strcmp(found.name, name);
	}
	/* The others are aliases. */
	assert_true(compared > lines / 97 / 2);
	kernel_symbols__free(symbols);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(work, sizeof(work), "/tmp/test_kernel_symbols.XXXXXX");
	return mkdtemp(work) ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[256];

	(void)state;
	path_of(path, sizeof(path), "kallsyms");
	unlink(path);
	return rmdir(work);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kallsyms),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_real_kallsyms),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
