/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug files from the servers that the user names in $DEBUGINFOD_URLS; none is asked otherwise.
 * libdebuginfod is loaded when it is first needed, and may be missing. */
#ifndef CAPTURE_DEBUGINFOD_H
#define CAPTURE_DEBUGINFOD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool debuginfod__wanted(void);

/* Blocks, for up to 30 s or until *stop. A descriptor of the debug file, which holds DWARF and has
 * the build id. -ENOENT: there is none, or no server, or no library; -ECANCELED. */
int debuginfod__fetch(const uint8_t *build_id, size_t size, const atomic_bool *stop);

#endif
