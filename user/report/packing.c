// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/packing.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"

#define GZIP_WINDOW (15 + 16) /* the largest window; + 16: a gzip header */
#define LEVEL	    6
#define MEMORY	    8 /* zlib's own default */
#define FAST_LEVEL  1
#define SCRATCH	    65536

static int compress_bytes(const char *bytes, size_t size, unsigned char **ret_packed,
			  size_t *ret_size)
{
	z_stream zip = {0};
	unsigned char *packed;
	size_t bound;
	int status;

	if (size > UINT_MAX / 2)
		return -EOVERFLOW;
	if (deflateInit2(&zip, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	bound = deflateBound(&zip, (uLong)size);
	packed = malloc(bound + 1);
	if (!packed) {
		deflateEnd(&zip);
		return -ENOMEM;
	}
	zip.next_in = (Bytef *)bytes;
	zip.avail_in = (uInt)size;
	zip.next_out = packed;
	zip.avail_out = (uInt)bound;
	status = deflate(&zip, Z_FINISH);
	*ret_size = bound - zip.avail_out;
	deflateEnd(&zip);
	if (status != Z_STREAM_END) {
		free(packed);
		return -ENOMEM;
	}
	*ret_packed = packed;
	return 0;
}

static char *write_base64(const unsigned char *bytes, size_t size, size_t *ret_size)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	char *text = malloc((size + 2) / 3 * 4 + 1), *to = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i += 3) {
		unsigned int three = (unsigned int)bytes[i] << 16;

		if (i + 1 < size)
			three |= (unsigned int)bytes[i + 1] << 8;
		if (i + 2 < size)
			three |= bytes[i + 2];
		*to++ = letters[three >> 18];
		*to++ = letters[three >> 12 & 63];
		*to++ = i + 1 < size ? letters[three >> 6 & 63] : '=';
		*to++ = i + 2 < size ? letters[three & 63] : '=';
	}
	*to = '\0';
	*ret_size = (size_t)(to - text);
	return text;
}

int packing__estimate(const char *bytes, size_t size, size_t *ret_size)
{
	unsigned char scratch[SCRATCH];
	z_stream zip = {0};
	int status;

	if (size > UINT_MAX / 2)
		return -EOVERFLOW;
	if (deflateInit2(&zip, FAST_LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return -ENOMEM;
	zip.next_in = (Bytef *)bytes;
	zip.avail_in = (uInt)size;
	do {
		zip.next_out = scratch;
		zip.avail_out = sizeof(scratch);
		status = deflate(&zip, Z_FINISH);
	} while (status == Z_OK);
	*ret_size = ((size_t)zip.total_out + 2) / 3 * 4;
	deflateEnd(&zip);
	return status == Z_STREAM_END ? 0 : -ENOMEM;
}

int packing__pack(const char *bytes, size_t size, char **ret_text, size_t *ret_size)
{
	_cleanup_free_ unsigned char *packed = NULL;
	size_t packed_size = 0, text_size;
	char *text;
	int error;

	error = compress_bytes(bytes, size, &packed, &packed_size);
	if (error)
		return error;
	text = write_base64(packed, packed_size, &text_size);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	*ret_size = text_size;
	return 0;
}
