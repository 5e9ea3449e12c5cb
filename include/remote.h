/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remotes: what sockets are connected to. Both sides know one by a hash. Shared by BPF and the
 * recorder. */
#ifndef PIPESCOPE_REMOTE_H
#define PIPESCOPE_REMOTE_H

#include "wire.h"

#define PS_REMOTE_TEXT 112 /* bytes of a Unix socket's address, with zeros behind it */

enum ps_remote_side {
	PS_REMOTE_PEER, /* the other end */
	PS_REMOTE_OWN, /* there is none, or it has no name: this is the own end */
	PS_REMOTE_NONE /* neither has a name */
};

/* IPv4 in IPv6 is IPv4. */
struct ps_remote {
	__u16 family; /* AF_… */
	__u16 protocol; /* IPPROTO_…; of Unix sockets SOCK_… */
	__u16 port; /* in the host's order; 0: none */
	__u8 side; /* enum ps_remote_side */
	__u8 size; /* bytes of text */
	union {
		__u8 address[16]; /* IPv4: the first 4 bytes */
		char text[PS_REMOTE_TEXT]; /* a path, or behind a NUL an abstract name */
		__u64 words[PS_REMOTE_TEXT / 8];
	};
};

/* The words behind the head that count. */
#define PS_REMOTE_WORDS(family) ((family) == 1 /* AF_UNIX */ ? PS_REMOTE_TEXT / 8 : 2)

#define PS_REMOTE_HASH(hash) (((hash)&PS_WAIT_DETAIL_MASK) | 1) /* never 0, and fits a detail */

/* Remotes that BPF remembers to have told; emptied by the recorder at three quarters. */
#define PS_REMOTES_SENT 16384

/* A remote at first sight. */
enum ps_event_type_remote { PS_EVENT_REMOTE = 48 };

struct ps_remote_event {
	struct ps_event event;
	__u64 hash;
	struct ps_remote remote;
};

_Static_assert(sizeof(struct ps_remote) == 120, "wire format");
_Static_assert(sizeof(struct ps_remote_event) == 152, "wire format");

#endif
