/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Large data in a page: gzip, in letters that mean nothing to HTML. */
#ifndef REPORT_PACKING_H
#define REPORT_PACKING_H

#include <stddef.h>

/* gzip of size bytes, as base64 with a NUL behind it; malloc'ed. -ENOMEM, -EOVERFLOW. */
int packing__pack(const char *bytes, size_t size, char **ret_text, size_t *ret_size);

#endif
