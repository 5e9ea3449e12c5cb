/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source lines and inlined functions of code addresses, from DWARF (2 to 5).
 *
 * The DWARF is not trusted, but libdw, which reads it, mostly does: bounds are checked here only
 * where this file walks by itself. Damaged DWARF can end the process (libdw calls abort() when
 * memory is short, and the file is mapped: SIGBUS when its owner cuts it), keep it busy without
 * end, or make libdw open files that it names. So this is for a process that may do nothing, of
 * which its parent is prepared to lose: capture/line_reader.h. Not read: split DWARF (.dwo),
 * supplementary files (.gnu_debugaltlink) but for the names that need none. */
#ifndef SYMBOLS_LINES_H
#define SYMBOLS_LINES_H

#include <stddef.h>
#include <stdint.h>

#define LINES_MAX_DEPTH 32 /* functions of a chain; the outermost inlined ones are left out */

struct lines;

struct line_frame {
	const char *name; /* whole and demangled; NULL: not known */
	const char *file; /* of line; with line 0 of the function's declaration; NULL: not known */
	uint32_t line; /* that runs, or of the call; 0: not known */
	uint32_t first_line; /* of the function, in the same file; 0: not known */
};

/* Called once for each address: the functions it is in, the innermost first, the last one not
 * inlined. count 0: nothing is known. Texts are borrowed until it returns. A negative errno ends
 * the search and is returned. */
typedef int lines_take(void *context, size_t index, const struct line_frame *frames, size_t count);

/* Reads the headers. fd stays the caller's and must stay open. -ENOENT: no DWARF; -EBADMSG;
 * -ENOMEM.
 */
int lines__open(int fd, struct lines **ret);
void lines__free(struct lines *lines); /* NULL is accepted */

/* Finds count virtual addresses of the file, in any order; take gets them in another one, by units
 * of compilation. -ENOMEM, or what take returned. */
int lines__find(struct lines *lines, const uint64_t *addresses, size_t count, lines_take *take,
		void *context);

#endif
