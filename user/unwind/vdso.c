// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/vdso.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

/* Nobody tells its size: the sections' table comes last in it. */
static size_t image_size(const Elf64_Ehdr *header)
{
	return header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
}

int unwind_vdso__compile(struct unwind_rows *ret)
{
	const Elf64_Ehdr *header = (const void *)getauxval(AT_SYSINFO_EHDR);

	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG))
		return -ENOENT;
	return unwind_rows__compile_memory(header, image_size(header), ret);
}
