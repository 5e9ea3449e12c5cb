/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths as texts: no file is looked at. */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

/* A copy without "//", "/./", "/.." and slashes at the end; NULL: no memory. What begins with
 * "..." (not known) keeps that, and the ".." that lead out of it. Behind a symbolic link ".." may
 * lead elsewhere. */
char *path__clean(const char *path);

#endif
