/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remotes as the recording knows them: told by BPF at first sight, named by rules, each a row of
 * table file and one of table remote. */
#ifndef CAPTURE_REMOTES_H
#define CAPTURE_REMOTES_H

#include <stdint.h>

#include "remote.h"

struct remotes;
struct recording_writer;
struct remote_rule;
struct rules;

/* Rows; beyond, those of one protocol and service share a row. */
#define REMOTES_MOST 20000
/* Rows of remotes have ids from here on: those below are given to files. */
#define REMOTES_FIRST_ROW (1LL << 40)

/* Both are borrowed. NULL: no memory. */
struct remotes *remotes__new(struct recording_writer *writer, struct rules *rules);
void remotes__free(struct remotes *remotes); /* NULL is accepted */

int remotes__on_event(struct remotes *remotes, const struct ps_remote_event *event);

/* The row of a remote, written when it is new; one that was never told shares one with its like. An
 * id or a negative errno. */
int64_t remotes__row(struct remotes *remotes, uint64_t hash);

/* The rule that names a remote; NULL: none, or it was never told. */
const struct remote_rule *remotes__rule(const struct remotes *remotes, uint64_t hash);

/* "10.1.2.3:5432", "[2001:db8::1]:443", "/run/x.sock" … as the recording has it. */
#define REMOTE_ADDRESS_SIZE 160
void remote__address(const struct ps_remote *remote, char text[REMOTE_ADDRESS_SIZE]);
/* "tcp", "udp", "unix" …, or the family's number. Static or in buffer. */
#define REMOTE_PROTOCOL_SIZE 16
const char *remote__protocol(const struct ps_remote *remote, char buffer[REMOTE_PROTOCOL_SIZE]);

#endif
