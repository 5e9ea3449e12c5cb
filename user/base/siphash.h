/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SipHash-2-4: hashes of outside bytes that nobody can make equal who does not know the key. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t words[2];
};

/* Fills a key with random bytes; a negative errno. */
int siphash__new_key(struct siphash_key *ret_key);

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t size);

#endif
