/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_WAIT_KINDS_H
#define CAPTURE_WAIT_KINDS_H

#include <stdint.h>

#include "waits.h"

/* Fills in what a thread waits for inside each system call of this machine (enum ps_wait_kind);
 * those not named stay PS_KIND_OTHER. */
void wait_kinds__fill(uint8_t kinds[PS_SYSCALL_LIMIT]);

/* "read" for its number; NULL: not known. Static. */
const char *syscall__name(uint32_t number);

#endif
