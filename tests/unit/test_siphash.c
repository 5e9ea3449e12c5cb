// SPDX-License-Identifier: GPL-2.0-or-later
// Links: base
/* SipHash against figures of its authors: key 00 01 … 0f, input 00 01 02 … of each size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <string.h>

#include "base/siphash.h"

static void figures_of_its_authors(void **state)
{
	static const struct {
		size_t size;
		uint64_t hash;
	} known[] = {
		{0, 0x726fdb47dd0e0e31ULL},  {1, 0x74f839c593dc67fdULL},
		{7, 0xab0200f58b01d137ULL},  {8, 0x93f5f5799a932462ULL},
		{15, 0xa129ca6149be45e5ULL}, {63, 0x958a324ceb064572ULL},
	};
	uint8_t bytes[64];
	struct siphash_key key;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	memcpy(&key, bytes, sizeof(key));
	key.words[0] = le64toh(key.words[0]);
	key.words[1] = le64toh(key.words[1]);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_true(siphash(&key, bytes, known[i].size) == known[i].hash);
}

static void keys_differ(void **state)
{
	struct siphash_key one, other;

	(void)state;
	assert_int_equal(siphash__new_key(&one), 0);
	assert_int_equal(siphash__new_key(&other), 0);
	assert_memory_not_equal(&one, &other, sizeof(one));
	assert_true(siphash(&one, "path", 4) != siphash(&other, "path", 4));
	assert_true(siphash(&one, "path", 4) == siphash(&one, "pathology", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_of_its_authors),
		cmocka_unit_test(keys_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
