/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the kind "remote": which service is at the other end of a socket. */
#ifndef PROC_REMOTE_RULE_H
#define PROC_REMOTE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/rule_grammar.h"

enum {
	REMOTE_PORTS_MAX = 16,
	REMOTE_NETWORKS_MAX = 16,
};

/* What is known of a remote. */
struct remote_facts {
	const char *protocol; /* "tcp", "udp", "unix" … */
	uint8_t address[16];
	size_t address_size; /* 4, 16; 0: it has none */
	uint16_t port; /* 0: none */
	const char *path; /* of a Unix socket, '@' in front of abstract names; NULL: none */
};

struct remote_rule {
	struct rule rule;
	struct rule_words protocols; /* none: any */
	struct {
		uint16_t first, last;
	} ports[REMOTE_PORTS_MAX];
	size_t port_count;
	struct remote_network {
		uint8_t address[16];
		size_t size; /* of the address: 4, 16 */
		unsigned int bits; /* of it that count */
	} networks[REMOTE_NETWORKS_MAX];
	size_t network_count;
	struct rule_words paths;
	const char *service;
	const char *wait; /* class of waits for it; NULL: "socket" */
};

extern const struct rule_kind rule_kind__remote;

/* The first rule that holds; NULL: none. */
const struct remote_rule *rules__remote(const struct rules *rules,
					const struct remote_facts *facts);

#endif
