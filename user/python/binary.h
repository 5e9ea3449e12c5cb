/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does an ELF file hold a CPython runtime, and which one? */
#ifndef PYTHON_BINARY_H
#define PYTHON_BINARY_H

#include <stdint.h>

#include "python/layout.h"

/* Addresses are the file's own (p_vaddr), without the bias it is loaded with. */
struct python_binary {
	uint16_t version; /* (major << 8) | minor; 0: not known */
	uint64_t runtime; /* _PyRuntime */
	uint64_t code_type; /* PyCode_Type; 0: not known */
	struct python_layout layout;
};

/* Looks into the executable or shared library open as fd (its file position is not used).
 *
 * The runtime is the symbol _PyRuntime, defined, of .dynsym; else the section .PyRuntime (3.10+);
 * else, in an executable only, the symbol of .symtab: a shared library with a hidden runtime of 3.8
 * or 3.9 is not recognised. The version comes from the runtime's debug offsets (3.13+), else from
 * the value of Py_Version (3.11+), else from sys.implementation.cache_tag, the constant
 * "cpython-3N" that every CPython has in its read-only data, else from the library's DT_SONAME
 * (libpython3.N.so…).
 *
 * 0; -ENOENT: not a CPython of this machine's kind; -EBADMSG: a damaged file; -EOPNOTSUPP: CPython,
 * but of unknown layout: then ret->version, ->runtime and ->code_type are filled in all the same.
 * -ENOMEM or the error of reading. */
int python_binary__probe(int fd, struct python_binary *ret);

#endif
