/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pool in which each string lives once: equal strings have equal pointers and ids. */
#ifndef BASE_STRINGS_H
#define BASE_STRINGS_H

#include <stddef.h>
#include <stdint.h>

struct string_pool;

struct string_pool *string_pool__new(void); /* NULL: no memory */
void string_pool__free(struct string_pool *pool);

/* The pool's own copy of text (size bytes, or the whole with string_pool__intern); lives until
 * string_pool__free, or string_pool__sweep lets it go. NULL: no memory. Embedded NULs end the
 * string. */
const char *string_pool__intern(struct string_pool *pool, const char *text);
const char *string_pool__intern_bytes(struct string_pool *pool, const char *text, size_t size);

/* For pools of which somebody knows all users, who mark what they hold (a string of this pool, or
 * NULL) before each sweep. It lets go what was neither marked nor interned since the sweep before
 * the last. */
void string_pool__use(struct string_pool *pool, const char *text);
void string_pool__sweep(struct string_pool *pool);

#endif
