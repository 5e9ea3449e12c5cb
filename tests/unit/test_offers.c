// SPDX-License-Identifier: GPL-2.0-or-later
// Links: symbols unwind base
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/offers.h"

/* A function of two names, and a probe as sys/sdt.h makes it: owner, type 3, three addresses,
 * provider, name, arguments. */
__asm__(".pushsection .text\n"
	".globl offers_test_one, offers_test_alias\n"
	".type offers_test_one, %function\n"
	".type offers_test_alias, %function\n"
	"offers_test_one:\n"
	"offers_test_alias: .skip 8\n"
	".size offers_test_one, 8\n"
	".size offers_test_alias, 8\n"
	".popsection\n"
	".pushsection .note.stapsdt, \"\", %note\n"
	".balign 4\n"
	".4byte 8, 2f - 1f, 3\n"
	".asciz \"stapsdt\"\n"
	"1: .8byte 1, 2, 3\n"
	".asciz \"offers\"\n"
	".asciz \"test__probe\"\n"
	".asciz \"8@%rdi\"\n"
	"2: .balign 4\n"
	".popsection\n");

enum { ONE, ALIAS, NONE, PROBE, OTHER_PROVIDER, NO_PROBE, COUNT };

static void fill(struct elf_offer *offers)
{
	const struct elf_offer wanted[COUNT] = {
		[ONE] = {NULL, "offers_test_one", false},
		[ALIAS] = {NULL, "offers_test_alias", false},
		[NONE] = {NULL, "malloc", false}, /* only used here */
		[PROBE] = {"offers", "test__probe", false},
		[OTHER_PROVIDER] = {"python", "test__probe", false},
		[NO_PROBE] = {NULL, "test__probe", false},
	};

	for (size_t i = 0; i < COUNT; i++)
		offers[i] = wanted[i];
}

static void every_alias_and_probe_is_found(void **state)
{
	struct elf_offer offers[COUNT];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	fill(offers);
	assert_true(fd >= 0);
	assert_int_equal(elf_offers__find(fd, offers, COUNT), 0);
	assert_true(offers[ONE].defined);
	assert_true(offers[ALIAS].defined);
	assert_true(offers[PROBE].defined);
	assert_false(offers[OTHER_PROVIDER].defined);
	assert_false(offers[NO_PROBE].defined);
#ifndef __SANITIZE_ADDRESS__ /* which brings its own */
	assert_false(offers[NONE].defined);
#endif
	close(fd);
}

static void what_is_cut_off_is_an_error(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct elf_offer offers[COUNT];
	struct stat status;
	uint8_t *bytes;

	(void)state;
	assert_int_equal(fstat(fd, &status), 0);
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(bytes != MAP_FAILED);
	for (size_t size = 0; size < (size_t)status.st_size; size += (size_t)status.st_size / 7) {
		int part = memfd_create("offers", MFD_CLOEXEC), err;

		assert_int_equal(write(part, bytes, size), size);
		fill(offers);
		err = elf_offers__find(part, offers, COUNT);
		assert_true(err == 0 || err == -EBADMSG);
		assert_true(!offers[OTHER_PROVIDER].defined);
		close(part);
	}
	munmap(bytes, (size_t)status.st_size);
	close(fd);
}

static void a_text_is_no_library(void **state)
{
	struct elf_offer offers[COUNT];
	int fd = memfd_create("offers", MFD_CLOEXEC);

	(void)state;
	fill(offers);
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	assert_int_equal(elf_offers__find(fd, offers, COUNT), -EBADMSG);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_alias_and_probe_is_found),
		cmocka_unit_test(what_is_cut_off_is_an_error),
		cmocka_unit_test(a_text_is_no_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
