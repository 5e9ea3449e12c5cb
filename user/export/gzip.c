// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/gzip.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define WINDOW_BITS_GZIP (15 + 16) /* 16: with gzip's header and checksum */
#define MEMORY_LEVEL	 8 /* zlib's own default */
#define LEVEL		 6

struct gzip {
	FILE *stream;
	z_stream state;
	unsigned char buffer[32768];
};

int gzip__new(FILE *stream, struct gzip **ret_gzip)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (!gzip)
		return -ENOMEM;
	gzip->stream = stream;
	if (deflateInit2(&gzip->state, LEVEL, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(gzip);
		return -ENOMEM;
	}
	*ret_gzip = gzip;
	return 0;
}

static int deflate_all(struct gzip *gzip, int flush)
{
	int status = Z_OK;

	do {
		size_t size;

		gzip->state.next_out = gzip->buffer;
		gzip->state.avail_out = sizeof(gzip->buffer);
		status = deflate(&gzip->state, flush);
		size = sizeof(gzip->buffer) - gzip->state.avail_out;
		if (status == Z_STREAM_ERROR || fwrite(gzip->buffer, 1, size, gzip->stream) != size)
			return -EIO;
	} while (!gzip->state.avail_out);
	return flush == Z_FINISH && status != Z_STREAM_END ? -EIO : 0;
}

int gzip__write(struct gzip *gzip, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	int error = 0;

	while (size && !error) {
		uInt piece = size > UINT_MAX ? UINT_MAX : (uInt)size;

		gzip->state.next_in = (unsigned char *)at;
		gzip->state.avail_in = piece;
		error = deflate_all(gzip, Z_NO_FLUSH);
		at += piece;
		size -= piece;
	}
	return error;
}

int gzip__finish(struct gzip *gzip)
{
	gzip->state.next_in = NULL;
	gzip->state.avail_in = 0;
	return deflate_all(gzip, Z_FINISH);
}

void gzip__free(struct gzip *gzip)
{
	if (!gzip)
		return;
	deflateEnd(&gzip->state);
	free(gzip);
}
