// SPDX-License-Identifier: GPL-2.0-or-later
#include "python/binary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "python/probe_file.h"

#define CACHE_TAG     "cpython-3"
#define LIBRARY_NAME  "libpython3."
#define MINOR_DIGITS  2 /* of the minor version in a name */
#define READ_PIECE    65536
#define RODATA_LIMIT  (64u << 20) /* bytes; an interpreter has 1-3 MB */
#define VERSION_OF(n) ((uint16_t)(0x0300 | (n)))

/* In .symtab the runtime of 3.8 and 3.9 is looked for (656 and 1464 bytes; later ones have a
 * section) and the type (408 or 416). Py_Version is not: the cache tag tells the same. */
#define STATIC_LEAST 400
#define STATIC_MOST  4096

/* In this order wherever symbols are looked up; the first ones in .symtab, too. */
enum { SYMBOL_RUNTIME, SYMBOL_CODE_TYPE, SYMBOL_VERSION, SYMBOL_COUNT };
#define STATIC_COUNT SYMBOL_VERSION

static const char *const symbol_names[SYMBOL_COUNT] = {
	[SYMBOL_RUNTIME] = "_PyRuntime",
	[SYMBOL_CODE_TYPE] = "PyCode_Type",
	[SYMBOL_VERSION] = "Py_Version",
};

/* File addresses; 0: not known. */
struct places {
	uint64_t symbols[SYMBOL_COUNT];
};

static int find_places(const struct probe_file *file, struct places *ret)
{
	struct places places = {0};
	GElf_Sym found[SYMBOL_COUNT];
	int err;

	for (int i = 0; i < SYMBOL_COUNT; i++) {
		err = probe_file__find_dynamic(file, symbol_names[i], &found[0]);
		/* Nearly every file is no Python: it costs one look-up. */
		if (err == -ENOENT && i == SYMBOL_RUNTIME)
			break;
		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		places.symbols[i] = found[0].st_value;
	}
	if (places.symbols[SYMBOL_RUNTIME]) {
		*ret = places;
		return 0;
	}
	if (file->runtime.sh_type == SHT_NULL && !file->executable)
		return -ENOENT;
	err = probe_file__find_static(file, STATIC_LEAST, STATIC_MOST, symbol_names, STATIC_COUNT,
				      found);
	if (err)
		return err;
	for (int i = 0; i < STATIC_COUNT; i++)
		if (found[i].st_name)
			places.symbols[i] = found[i].st_value;
	if (!places.symbols[SYMBOL_RUNTIME] && file->runtime.sh_type != SHT_NULL)
		places.symbols[SYMBOL_RUNTIME] = file->runtime.sh_addr;
	if (!places.symbols[SYMBOL_RUNTIME])
		return -ENOENT;
	*ret = places;
	return 0;
}

/* The minor version at the start of text, one or two digits up to `end`. 0: something else. */
static unsigned int parse_minor(const char *text, char end)
{
	unsigned int minor = 0, digits = 0;

	while (digits < MINOR_DIGITS && text[digits] >= '0' && text[digits] <= '9')
		minor = minor * 10 + (unsigned int)(text[digits++] - '0');
	return digits && text[digits] == end ? minor : 0;
}

/* Looks for the string "cpython-3N" with its NUL in the read-only data. Different ones: not found.
 */
static int find_cache_tag(const struct probe_file *file, uint16_t *ret_version)
{
	const size_t tag = strlen(CACHE_TAG), whole = tag + MINOR_DIGITS + 1;
	_cleanup_free_ char *piece = NULL;
	unsigned int minor = 0;
	uint64_t size = file->rodata.sh_size;
	size_t here;

	if (file->rodata.sh_type == SHT_NULL)
		return -ENOENT;
	if (size > RODATA_LIMIT)
		size = RODATA_LIMIT;
	piece = malloc(READ_PIECE + 1);
	if (!piece)
		return -ENOMEM;
	/* Pieces overlap by a byte less than a whole tag, so that none is seen twice or missed. */
	for (uint64_t start = 0; start < size; start += READ_PIECE - (whole - 1)) {
		int err;

		here = size - start < READ_PIECE ? size - start : READ_PIECE;
		if (file->rodata.sh_offset > UINT64_MAX - start)
			return -EBADMSG;
		err = probe_file__read(file, file->rodata.sh_offset + start, piece, here);
		if (err)
			return err;
		piece[here] = '\0';
		for (char *at = piece; (at = memmem(at, piece + here - at, CACHE_TAG, tag));
		     at += tag) {
			/* At the piece's end the NUL could be the one put there. */
			bool seen_whole =
				(size_t)(piece + here - at) >= whole || start + here >= size;
			unsigned int found = seen_whole ? parse_minor(at + tag, '\0') : 0;

			if (found && minor && found != minor)
				return -ENOENT;
			if (found)
				minor = found;
		}
		if (start + here >= size)
			break;
	}
	if (!minor)
		return -ENOENT;
	*ret_version = VERSION_OF(minor);
	return 0;
}

static int version_of_soname(const struct probe_file *file, uint16_t *ret_version)
{
	const size_t prefix = strlen(LIBRARY_NAME);
	char name[64];
	unsigned int minor;
	int err = probe_file__soname(file, name, sizeof(name));

	if (err)
		return err;
	minor = strncmp(name, LIBRARY_NAME, prefix) ? 0 : parse_minor(name + prefix, '.');
	if (!minor)
		return -ENOENT;
	*ret_version = VERSION_OF(minor);
	return 0;
}

/* 0 with *ret_version 0 when nothing tells it; *ret_final: not an alpha or beta, as far as told. */
static int find_version(const struct probe_file *file, const struct places *places,
			uint16_t *ret_version, bool *ret_final)
{
	uint64_t hex;
	int err;

	*ret_final = true;
	if (places->symbols[SYMBOL_VERSION]) {
		err = probe_file__read_address(file, places->symbols[SYMBOL_VERSION], &hex,
					       sizeof(hex));
		if (err && err != -ENOENT)
			return err;
		if (!err && hex <= UINT32_MAX && hex >> 24 == 3) {
			*ret_version = (uint16_t)(hex >> 16);
			*ret_final = python_layout__version_of_hex(hex) != 0;
			return 0;
		}
	}
	err = find_cache_tag(file, ret_version);
	if (err == -ENOENT)
		err = version_of_soname(file, ret_version);
	if (err == -ENOENT) {
		*ret_version = 0;
		return 0;
	}
	return err;
}

/* The debug offsets are constants of the file's initialised data: no process is needed. */
static int read_debug_offsets(const struct probe_file *file, uint64_t runtime,
			      uint16_t *ret_version, struct python_layout *ret)
{
	char bytes[PYTHON_DEBUG_OFFSETS_SIZE];
	int err = probe_file__read_address(file, runtime, bytes, sizeof(bytes));

	/* -ENOENT: up to 3.9 the runtime is in .bss, up to 3.10 it is smaller than that. */
	if (err)
		return err;
	return python_layout__from_debug_offsets(bytes, sizeof(bytes), ret_version, ret);
}

int python_binary__probe(int fd, struct python_binary *ret)
{
	struct python_binary binary = {0};
	const struct python_layout *layout;
	struct places places;
	struct probe_file file;
	bool final;
	int err = probe_file__open(&file, fd);

	if (err)
		return err;
	err = find_places(&file, &places);
	if (err)
		goto cleanup;
	binary.runtime = places.symbols[SYMBOL_RUNTIME];
	binary.code_type = places.symbols[SYMBOL_CODE_TYPE];

	err = read_debug_offsets(&file, binary.runtime, &binary.version, &binary.layout);
	if (err != -ENOENT)
		goto cleanup;
	err = find_version(&file, &places, &binary.version, &final);
	if (err)
		goto cleanup;
	layout = final ? python_layout__of(binary.version) : NULL;
	if (layout)
		binary.layout = *layout;
	else
		err = -EOPNOTSUPP;
cleanup:
	if (!err || err == -EOPNOTSUPP)
		*ret = binary;
	probe_file__close(&file);
	return err;
}
