/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scoped cleanup for one or two resources; functions with more use one cleanup: label. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup__free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup__close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup__fclose(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

#define _cleanup_free_	 __attribute__((cleanup(cleanup__free)))
#define _cleanup_close_	 __attribute__((cleanup(cleanup__close)))
#define _cleanup_fclose_ __attribute__((cleanup(cleanup__fclose)))

#endif
