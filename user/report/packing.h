/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Large data in a page: gzip, in letters that mean nothing to HTML. */
#ifndef REPORT_PACKING_H
#define REPORT_PACKING_H

#include <stddef.h>

/* gzip of size bytes, as base64 with a NUL behind it; malloc'ed. -ENOMEM, -EOVERFLOW. */
int packing__pack(const char *bytes, size_t size, char **ret_text, size_t *ret_size);

/* What packing__pack would give, at a quarter of its cost: the size at zlib's fastest level. Never
 * known to be more than half as large again as the real one. -ENOMEM, -EOVERFLOW. */
int packing__estimate(const char *bytes, size_t size, size_t *ret_size);

#endif
