/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiled rows on disk, so that a recorder that starts again does not compile what it knows. One
 * file per build id and owner of the binary: whoever makes a binary with another one's build id
 * spoils only rows of binaries that are his own. All functions may be called by several threads. */
#ifndef UNWIND_CACHE_H
#define UNWIND_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "unwind/elf_input.h"
#include "unwind/rows.h"

#define UNWIND_CACHE_PATH  "/var/cache/pipescope/unwind"
#define UNWIND_CACHE_LIMIT (512ull << 20) /* bytes */

struct unwind_cache;

struct unwind_cache_key {
	uint8_t build_id[ELF_INPUT_MAX_BUILD_ID];
	uint32_t build_id_size;
	uint32_t owner; /* uid */
	uint64_t file_size;
};

/* The key of the ELF file open as fd. -ENOENT: it has no build id; else as unwind_rows__compile().
 */
int unwind_cache__key(int fd, struct unwind_cache_key *ret);

/* Makes the last two folders of path where they are missing, with mode 0700. -EPERM: a folder
 * belongs to someone else or others may write to it; -ELOOP or -ENOTDIR: it is none. When the files
 * become more than limit bytes, those not used for longest go. */
int unwind_cache__open(const char *path, uint64_t limit, struct unwind_cache **ret);
void unwind_cache__free(struct unwind_cache *cache);

/* -ENOENT: there are none; -EBADMSG: they are damaged, or not ours. unwind_rows__clear() after it.
 */
int unwind_cache__load(struct unwind_cache *cache, const struct unwind_cache_key *key,
		       struct unwind_rows *ret);

/* Puts rows in the place of what is there. */
int unwind_cache__store(struct unwind_cache *cache, const struct unwind_cache_key *key,
			const struct unwind_rows *rows);

#endif
