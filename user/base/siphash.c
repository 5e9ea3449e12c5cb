// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/siphash.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

int siphash__new_key(struct siphash_key *ret_key)
{
	struct siphash_key key;

	/* Up to 256 bytes come whole, or not at all. */
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return -errno;
	*ret_key = key;
	return 0;
}

static uint64_t rotate(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix(uint64_t *v, int rounds)
{
	for (; rounds; rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32) + v[3];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void take(uint64_t *v, uint64_t word)
{
	v[3] ^= word;
	mix(v, 2);
	v[0] ^= word;
}

/* Up to 8 bytes as a little-endian number. */
static uint64_t word_at(const uint8_t *bytes, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, bytes, size);
	return le64toh(word);
}

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t size)
{
	uint64_t v[] = {
		key->words[0] ^ 0x736f6d6570736575ULL, key->words[1] ^ 0x646f72616e646f6dULL,
		key->words[0] ^ 0x6c7967656e657261ULL, key->words[1] ^ 0x7465646279746573ULL};
	const uint8_t *at = bytes;
	size_t left = size;

	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), at += sizeof(uint64_t))
		take(v, word_at(at, sizeof(uint64_t)));
	take(v, (uint64_t)size << 56 | word_at(at, left));
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
