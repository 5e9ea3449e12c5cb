/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the functions of one executable or shared library.
 *
 * From .symtab and .dynsym; when the file has no .symtab, also from a separate debug file, found
 * by build id (ROOT/.build-id/xx/yyyy.debug), by .gnu_debuglink or as FILE.debug (next to the file,
 * in .debug/, under ROOT/DIRECTORY; its build id, or the link's CRC32, must fit); else from
 * .gnu_debugdata (xz-compressed tables of some distributions). DWARF: see lines.h.
 *
 * Never a neighbour's name: a function's name holds for [start, start + size) and nowhere else.
 * Symbols of size 0 (labels, a little assembly) therefore name nothing, and neither do names with
 * control characters. Where symbols nest, the innermost counts. Of aliases: a function before a
 * plain label, one visible from outside before a local one, then the one with fewer leading
 * underscores, a strong one before a weak one, then by the alphabet.
 * Procedure linkage: "NAME@plt" on x86-64, "plt" where the entry's function is not known.
 *
 * The file is not trusted. It is read, never mapped: a file cut short while in use costs an error.
 * One object belongs to one thread. */
#ifndef SYMBOLS_ELF_H
#define SYMBOLS_ELF_H

#include <stddef.h>
#include <stdint.h>

struct elf_symbols;

struct elf_symbol {
	const char *name; /* raw (mangled), without symbol version; until elf_symbols__free */
	uint64_t start; /* virtual address in the file's terms */
	uint64_t size; /* bytes */
};

/* Reads headers and build id only; the tables are read by the first elf_symbols__find, until then
 * a duplicate of fd is held. fd stays the caller's. path: the file as we see it, the start of the
 * search for a debug file ("/proc/PID/root/…": the debug directory under that root goes first);
 * NULL: only by build id. -EBADMSG: no executable or library, or a damaged one; -EFBIG: beyond a
 * limit; -ENOMEM; what fstat() and dup() tell. */
int elf_symbols__open(int fd, const char *path, struct elf_symbols **ret);

/* The same with another ROOT than /usr/lib/debug; NULL: no debug file is looked for at all. */
int elf_symbols__open_with(int fd, const char *path, const char *debug_root,
			   struct elf_symbols **ret);
void elf_symbols__free(struct elf_symbols *symbols);

/* The function that holds a virtual address. -ENOENT: none. The first call may take long (1 s for
 * a million symbols) and give -EBADMSG, -EFBIG (more than 4 million symbols or 512 MiB of names),
 * -ENOMEM; so do then all others. */
int elf_symbols__find(struct elf_symbols *symbols, uint64_t address, struct elf_symbol *ret);

/* Before the tables are read: elf_symbols__each then gives a function by all its names, the best
 * one first; elf_symbols__find any of them. */
void elf_symbols__keep_aliases(struct elf_symbols *symbols);

/* Every function that has a name, by address. The first error of take ends it and is returned;
 * else the errors of elf_symbols__find, but never -ENOENT. */
int elf_symbols__each(struct elf_symbols *symbols,
		      int (*take)(void *context, const struct elf_symbol *symbol), void *context);

/* The same of a stripped file's functions without a name: where one begins and how long it is, by
 * the file's call-frame information; name is NULL. -ENOENT: not known; else as elf_symbols__find.
 */
int elf_symbols__extent(struct elf_symbols *symbols, uint64_t address, struct elf_symbol *ret);

/* The virtual address of a byte of the file: for a mapping, pc - start + page offset. -ENOENT: no
 * segment holds it. */
int elf_symbols__vaddr(const struct elf_symbols *symbols, uint64_t file_offset, uint64_t *ret);

/* The build id, *ret_size bytes; until elf_symbols__free. NULL: it has none. */
const uint8_t *elf_symbols__build_id(const struct elf_symbols *symbols, size_t *ret_size);

/* A descriptor of the file that holds the DWARF (the file itself or its debug file), given away:
 * the caller closes it. The first call may take long, as that of elf_symbols__find. -ENOENT: there
 * is none, or it was taken; or the errors of elf_symbols__find. */
int elf_symbols__take_dwarf(struct elf_symbols *symbols);

/* For reports on quality: how many functions have names and the bytes they take, 0 before the
 * first elf_symbols__find; the debug file that was used, NULL when none. */
size_t elf_symbols__count(const struct elf_symbols *symbols);
size_t elf_symbols__bytes(const struct elf_symbols *symbols);
const char *elf_symbols__debug_path(const struct elf_symbols *symbols);

#endif
