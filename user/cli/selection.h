/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --by, --metric and --where: the same words with the same meaning in every command that reads a
 * recording. */
#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include <argp.h>

/* A child of a command's argp; its input is a struct query_request, which it fills. Texts are
 * borrowed from the command line. Whether the parts have a meaning together is the command's to
 * ask, when all is read. */
extern const struct argp selection__argp;

#endif
