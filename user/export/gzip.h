/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compressed output, piece after piece. */
#ifndef EXPORT_GZIP_H
#define EXPORT_GZIP_H

#include <stddef.h>
#include <stdio.h>

struct gzip;

/* Writes to stream, which stays the caller's. -ENOMEM. */
int gzip__new(FILE *stream, struct gzip **ret_gzip);

/* -EIO: the stream failed. */
int gzip__write(struct gzip *gzip, const void *bytes, size_t size);

/* The rest and the checksum; nothing can be written behind it. -EIO. */
int gzip__finish(struct gzip *gzip);

void gzip__free(struct gzip *gzip); /* NULL is accepted */

#endif
