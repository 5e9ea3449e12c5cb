/* SPDX-License-Identifier: GPL-2.0-or-later */
/* C++ and Rust names as people write them. The names come from other people's files: the work and
 * the memory that one name can cost are bounded. */
#ifndef SYMBOLS_DEMANGLE_H
#define SYMBOLS_DEMANGLE_H

/* "_ZN3foo3barEi" → "foo::bar(int)", malloc'ed. NULL: not a mangled name, longer than 4096 bytes
 * (for C++ 1024: libiberty's own limit as long as it guards its recursion), longer than 64 KiB
 * when demangled, nested too deeply, or no memory: show the raw name. */
char *symbol__demangle(const char *raw);

/* Short for text: the contents of template arguments and parameter lists become "…", malloc'ed:
 * "foo<int, std::less<int> >::bar(char, int) const" → "foo<…>::bar(…) const". Empty ones, names
 * such as operator< and operator(), "(anonymous namespace)" and Rust's "<Vec<…> as Drop>" stay.
 * From the first bracket without its partner on, the text stays as it is. NULL: no memory. */
char *symbol__shorten(const char *demangled);

#endif
