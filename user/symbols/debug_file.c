// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/debug_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"

#define MAX_LINK_SECTION 8192
/* A CRC reads the whole file: 1 s for a gigabyte. */
#define MAX_CRC_SIZE (2ull << 30)
#define CRC_PIECE    (256u << 10)
#define MIN_BUILD_ID 2
#define ROOTS	     2

struct search {
	const struct elf_file *main;
	const char *roots[ROOTS]; /* NULL: none */
	bool check_crc;
	uint32_t crc;
	/* The result, if file.elf. */
	struct elf_file file;
	char *path;
};

/* Opens nothing but a regular file: opening a device or a pipe can block or do something, and in a
 * container's tree anything may lie where a debug file belongs. */
static int open_regular(const char *path)
{
	_cleanup_close_ int found = open(path, O_PATH | O_CLOEXEC);
	char again[64];
	struct stat status;
	int fd;

	if (found < 0 || fstat(found, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EBADMSG;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", found);
	fd = open(again, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int file_crc(int fd, uint64_t size, uint32_t *ret_crc)
{
	_cleanup_free_ uint8_t *piece = malloc(CRC_PIECE);
	uint32_t crc = 0;
	uint64_t done = 0;

	if (!piece)
		return -ENOMEM;
	if (size > MAX_CRC_SIZE)
		return -EFBIG;
	while (done < size) {
		ssize_t got = pread(fd, piece, CRC_PIECE, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EBADMSG;
		crc = (uint32_t)crc32(crc, piece, (unsigned int)got);
		done += (uint64_t)got;
	}
	*ret_crc = crc;
	return 0;
}

static bool belongs(const struct search *search, const struct elf_file *file)
{
	const struct elf_file *main = search->main;
	GElf_Shdr header;
	uint32_t crc = 0;

	if (file->header.e_machine != main->header.e_machine ||
	    file->header.e_ident[EI_CLASS] != main->header.e_ident[EI_CLASS])
		return false;
	if (main->build_id_size && file->build_id_size &&
	    (main->build_id_size != file->build_id_size ||
	     memcmp(main->build_id, file->build_id, main->build_id_size)))
		return false;
	if (!elf_file__section(file, SHT_SYMTAB, NULL, &header) && !elf_file__has_dwarf(file))
		return false;
	/* Equal build ids say more than the CRC of a file that may be a gigabyte. */
	if (main->build_id_size && file->build_id_size)
		return true;
	if (!search->check_crc)
		return false;
	return !file_crc(file->fd, file->size, &crc) && crc == search->crc;
}

/* Takes path (malloc'ed; NULL: no memory). 1: found; 0: not this one; -ENOMEM. */
static int search__try(struct search *search, char *path)
{
	_cleanup_free_ char *candidate = path;
	_cleanup_close_ int fd = -1;
	struct elf_file file = {0};

	if (!candidate)
		return -ENOMEM;
	fd = open_regular(candidate);
	if (fd < 0 || elf_file__open(fd, &file))
		return 0;
	if (!belongs(search, &file)) {
		elf_file__close(&file);
		return 0;
	}
	search->file = file;
	search->path = candidate;
	candidate = NULL;
	return 1;
}

static char *format_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *format_path(const char *format, ...)
{
	va_list arguments;
	char *path;
	int size;

	va_start(arguments, format);
	size = vasprintf(&path, format, arguments);
	va_end(arguments);
	return size < 0 ? NULL : path;
}

static int search__by_build_id(struct search *search)
{
	const struct elf_file *main = search->main;
	char hex[2 * ELF_FILE_MAX_BUILD_ID + 1];

	if (main->build_id_size < MIN_BUILD_ID)
		return 0;
	for (size_t i = 0; i < main->build_id_size; i++)
		sprintf(hex + 2 * i, "%02x", main->build_id[i]);
	for (size_t i = 0; i < ROOTS; i++) {
		int found;

		if (!search->roots[i])
			continue;
		found = search__try(search, format_path("%s/.build-id/%.2s/%s.debug",
							search->roots[i], hex, hex + 2));
		if (found)
			return found;
	}
	return 0;
}

/* .gnu_debuglink: a file name, padded to 4 bytes, then the CRC32 in the file's byte order. */
static const char *read_link(struct search *search)
{
	GElf_Shdr header;
	Elf_Scn *section = elf_file__section(search->main, SHT_PROGBITS, ".gnu_debuglink", &header);
	size_t length, crc_offset;
	const uint8_t *crc;
	const char *name;
	Elf_Data *data;

	if (!section || elf_file__section_data(search->main, section, MAX_LINK_SECTION, &data))
		return NULL;
	name = elf_file__string(data, 0, &length);
	if (!name || !length || strchr(name, '/') || !strcmp(name, "..") || !strcmp(name, "."))
		return NULL;
	crc_offset = (length + 4) & ~(size_t)3;
	if (data->d_size < 4 || crc_offset > data->d_size - 4)
		return NULL;
	crc = (const uint8_t *)data->d_buf + crc_offset;
	if (search->main->header.e_ident[EI_DATA] == ELFDATA2MSB)
		search->crc = (uint32_t)crc[0] << 24 | crc[1] << 16 | crc[2] << 8 | crc[3];
	else
		search->crc = (uint32_t)crc[3] << 24 | crc[2] << 16 | crc[1] << 8 | crc[0];
	search->check_crc = true;
	return name;
}

/* Size of "/proc/PID/root" in front of path, the same directory seen from inside is what follows.
 */
static size_t root_size(const char *path)
{
	static const char proc[] = "/proc/", root[] = "/root";
	const char *at = path + sizeof(proc) - 1;

	if (strncmp(path, proc, sizeof(proc) - 1) || !isdigit((unsigned char)*at))
		return 0;
	while (isdigit((unsigned char)*at))
		at++;
	if (strncmp(at, root, sizeof(root) - 1) || at[sizeof(root) - 1] != '/')
		return 0;
	return (size_t)(at - path) + sizeof(root) - 1;
}

/* Next to the file at path, in .debug/ there, and under the roots. */
static int search__near(struct search *search, const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	size_t outside = root_size(path);
	int size, found;

	if (!slash)
		return 0;
	size = (int)(slash - path);
	found = search__try(search, format_path("%.*s/%s", size, path, name));
	if (!found)
		found = search__try(search, format_path("%.*s/.debug/%s", size, path, name));
	for (size_t i = 0; i < ROOTS && !found; i++)
		if (search->roots[i])
			found = search__try(search,
					    format_path("%s%.*s/%s", search->roots[i],
							size - (int)outside, path + outside, name));
	return found;
}

static int search__by_link(struct search *search, const char *path)
{
	const char *name = read_link(search);

	return name ? search__near(search, path, name) : 0;
}

/* "FILE.debug" without a link to it: only a build id can tell that it belongs to FILE. */
static int search__by_name(struct search *search, const char *path)
{
	_cleanup_free_ char *name = NULL;

	search->check_crc = false;
	if (search->main->build_id_size < MIN_BUILD_ID)
		return 0;
	name = format_path("%s.debug", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	return name ? search__near(search, path, name) : -ENOMEM;
}

int debug_file__open(const struct elf_file *main, const char *path, const char *debug_root,
		     struct elf_file *ret, char **ret_path)
{
	struct search search = {.main = main, .roots = {NULL, debug_root}};
	_cleanup_free_ char *inside = NULL;
	size_t outside = path ? root_size(path) : 0;
	int found;

	if (outside) {
		inside = format_path("%.*s%s", (int)outside, path, debug_root);
		if (!inside)
			return -ENOMEM;
		search.roots[0] = inside;
	}
	found = search__by_build_id(&search);
	if (!found && path)
		found = search__by_link(&search, path);
	if (!found && path)
		found = search__by_name(&search, path);
	if (found <= 0)
		return found ? found : -ENOENT;
	*ret = search.file;
	*ret_path = search.path;
	return 0;
}
