/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_IO_CALLS_H
#define CAPTURE_IO_CALLS_H

#include <stdint.h>

#include "io.h"
#include "waits.h"

/* Fills in which system calls of this machine are file operations, and how they name their file:
 * PS_IO_CALL(). The others stay 0. */
void io_calls__fill(uint16_t calls[PS_SYSCALL_LIMIT]);

#endif
