/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths as texts: no file is looked at. */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

/* What is told below base, which has no symbolic links in it: without "//", "/./" and slashes at
 * the end. The ".." that it begins with are taken from base; behind a name they stay, for that may
 * be a link. Where base ends with "..." nothing is known of what is above. NULL: no memory. */
char *path__join(const char *base, const char *told);

#endif
