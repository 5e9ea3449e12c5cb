// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/remotes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "proc/remote_rule.h"
#include "store/writer.h"

/* Remotes that are remembered; the first ones are forgotten, and told again by BPF when they come
 * again. */
#define REMEMBERED_MOST 200000

struct remote {
	uint64_t hash;
	const struct remote_rule *rule; /* NULL: none */
	struct remote_entry *row; /* NULL: none yet */
	struct ps_remote facts;
	UT_hash_handle hh;
};

/* One row, by its text. */
struct remote_entry {
	int64_t id;
	UT_hash_handle hh;
	char text[];
};

struct remotes {
	struct recording_writer *writer;
	struct rules *rules;
	struct remote *remotes;
	struct remote_entry *rows;
};

struct remotes *remotes__new(struct recording_writer *writer, struct rules *rules)
{
	struct remotes *remotes = calloc(1, sizeof(*remotes));

	if (!remotes)
		return NULL;
	remotes->writer = writer;
	remotes->rules = rules;
	return remotes;
}

void remotes__free(struct remotes *remotes)
{
	struct remote *remote, *next_remote;
	struct remote_entry *row, *next_row;

	if (!remotes)
		return;
	HASH_ITER (hh, remotes->remotes, remote, next_remote) {
		HASH_DEL(remotes->remotes, remote);
		free(remote);
	}
	HASH_ITER (hh, remotes->rows, row, next_row) {
		HASH_DEL(remotes->rows, row);
		free(row);
	}
	free(remotes);
}

/* --- words */

const char *remote__protocol(const struct ps_remote *remote, char buffer[REMOTE_PROTOCOL_SIZE])
{
	static const struct {
		int number;
		const char *name;
	} families[] = {{AF_UNIX, "unix"},   {AF_NETLINK, "netlink"}, {AF_PACKET, "packet"},
			{AF_VSOCK, "vsock"}, {AF_ALG, "alg"},	      {AF_CAN, "can"}},
	  protocols[] = {{IPPROTO_TCP, "tcp"},	   {IPPROTO_UDP, "udp"},   {IPPROTO_ICMP, "icmp"},
			 {IPPROTO_ICMPV6, "icmp"}, {IPPROTO_SCTP, "sctp"}, {IPPROTO_RAW, "raw"}};

	if (remote->family == AF_INET || remote->family == AF_INET6) {
		for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
			if (protocols[i].number == remote->protocol)
				return protocols[i].name;
		snprintf(buffer, REMOTE_PROTOCOL_SIZE, "ip %u", remote->protocol);
		return buffer;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i].number == remote->family)
			return families[i].name;
	snprintf(buffer, REMOTE_PROTOCOL_SIZE, "family %u", remote->family);
	return buffer;
}

static bool is_internet(const struct ps_remote *remote)
{
	return remote->family == AF_INET || remote->family == AF_INET6;
}

/* The path, with '@' in front of an abstract name, whose other NULs become '@', too. */
static void unix_path(const struct ps_remote *remote, char text[REMOTE_ADDRESS_SIZE])
{
	size_t size = remote->size < PS_REMOTE_TEXT ? remote->size : PS_REMOTE_TEXT;
	bool abstract = size && !remote->text[0];

	if (!abstract)
		size = strnlen(remote->text, size);
	memcpy(text, remote->text, size);
	text[size] = '\0';
	for (size_t i = 0; i < size; i++)
		if (!text[i])
			text[i] = '@';
}

void remote__address(const struct ps_remote *remote, char text[REMOTE_ADDRESS_SIZE])
{
	char address[INET6_ADDRSTRLEN] = "?";

	if (remote->family == AF_UNIX) {
		unix_path(remote, text);
		if (!*text)
			strcpy(text, "unnamed");
		return;
	}
	if (!is_internet(remote)) {
		strcpy(text, "-");
		return;
	}
	inet_ntop(remote->family, remote->address, address, sizeof(address));
	if (remote->family == AF_INET6)
		snprintf(text, REMOTE_ADDRESS_SIZE, "[%s]:%u", address, remote->port);
	else
		snprintf(text, REMOTE_ADDRESS_SIZE, "%s:%u", address, remote->port);
}

/* --- names */

static const struct remote_rule *rule_for(const struct remotes *remotes,
					  const struct ps_remote *remote)
{
	char path[REMOTE_ADDRESS_SIZE], buffer[REMOTE_PROTOCOL_SIZE];
	struct remote_facts facts = {.protocol = remote__protocol(remote, buffer)};

	/* Who listens, or was connected to, is the service itself. */
	if (remote->side != PS_REMOTE_PEER)
		return NULL;
	if (is_internet(remote)) {
		facts.address_size = remote->family == AF_INET ? 4 : 16;
		memcpy(facts.address, remote->address, facts.address_size);
		facts.port = remote->port;
	} else if (remote->family == AF_UNIX) {
		unix_path(remote, path);
		facts.path = path;
	}
	return rules__remote(remotes->rules, &facts);
}

static struct remote *find(const struct remotes *remotes, uint64_t hash)
{
	struct remote *remote;

	HASH_FIND(hh, remotes->remotes, &hash, sizeof(hash), remote);
	return remote;
}

static void forget_oldest(struct remotes *remotes)
{
	unsigned int wanted = REMEMBERED_MOST / 10;
	struct remote *one, *next;

	HASH_ITER (hh, remotes->remotes, one, next) {
		if (!wanted--)
			break;
		HASH_DEL(remotes->remotes, one);
		free(one);
	}
}

int remotes__on_event(struct remotes *remotes, const struct ps_remote_event *event)
{
	struct remote *remote;

	if (find(remotes, event->hash))
		return 0;
	if (HASH_COUNT(remotes->remotes) >= REMEMBERED_MOST)
		forget_oldest(remotes);
	remote = calloc(1, sizeof(*remote));
	if (!remote)
		return -ENOMEM;
	remote->hash = event->hash;
	remote->facts = event->remote;
	remote->rule = rule_for(remotes, &remote->facts);
	HASH_ADD(hh, remotes->remotes, hash, sizeof(remote->hash), remote);
	if (!remote->hh.tbl) {
		free(remote);
		return -ENOMEM;
	}
	return 0;
}

const struct remote_rule *remotes__rule(const struct remotes *remotes, uint64_t hash)
{
	const struct remote *remote = find(remotes, hash);

	return remote ? remote->rule : NULL;
}

/* --- rows */

static int write_rows(struct remotes *remotes, const char *text, struct remote_row *row)
{
	struct file_row file = {.id = row->file,
				.kind = "socket",
				.path = text,
				.filesystem = "socket",
				.mount = ""};
	int err = recording_writer__file(remotes->writer, &file);

	return err ?: recording_writer__remote(remotes->writer, row);
}

/* The row of that text, written when it is new. */
static struct remote_entry *entry_of(struct remotes *remotes, const char *text,
				     struct remote_row *row, int *ret_error)
{
	size_t length = strlen(text);
	struct remote_entry *entry;

	HASH_FIND(hh, remotes->rows, text, length, entry);
	if (entry)
		return entry;
	*ret_error = -ENOMEM;
	entry = calloc(1, sizeof(*entry) + length + 1);
	if (!entry)
		return NULL;
	memcpy(entry->text, text, length);
	entry->id = row->file = REMOTES_FIRST_ROW + HASH_COUNT(remotes->rows);
	HASH_ADD_KEYPTR(hh, remotes->rows, entry->text, length, entry);
	if (!entry->hh.tbl) {
		free(entry);
		return NULL;
	}
	*ret_error = write_rows(remotes, text, row);
	if (*ret_error) { /* to be written when it is next asked for */
		HASH_DEL(remotes->rows, entry);
		free(entry);
		return NULL;
	}
	return entry;
}

/* "tcp 10.1.2.3:5432"; "unix /run/x.sock (listening)" and the like for own ends. */
static struct remote_entry *entry_of_remote(struct remotes *remotes, const struct remote *remote,
					    int *ret_error)
{
	char text[REMOTE_ADDRESS_SIZE + REMOTE_PROTOCOL_SIZE + 32], address[REMOTE_ADDRESS_SIZE];
	char buffer[REMOTE_PROTOCOL_SIZE];
	const struct ps_remote *facts = &remote->facts;
	bool own = facts->side == PS_REMOTE_OWN;
	struct remote_row row = {
		.protocol = remote__protocol(facts, buffer),
		.address = address,
		.port = is_internet(facts) && facts->port ? facts->port : ROW_NULL,
		.own = own,
		.service = remote->rule ? remote->rule->service : NULL,
		.rule = remote->rule ? remote->rule->rule.name : NULL,
	};

	if (HASH_COUNT(remotes->rows) >= REMOTES_MOST) {
		strcpy(address, "[others]");
		snprintf(text, sizeof(text), "%s [others]%s%.64s", row.protocol,
			 row.service ? " " : "", row.service ? row.service : "");
		row.port = ROW_NULL;
		row.own = false;
	} else {
		remote__address(facts, address);
		snprintf(text, sizeof(text), "%s %s%s", row.protocol, address,
			 own ? " (own end)" : "");
	}
	/* The address alone: of internet ones without port. */
	if (row.port != ROW_NULL)
		inet_ntop(facts->family, facts->address, address, sizeof(address));
	return entry_of(remotes, text, &row, ret_error);
}

int64_t remotes__row(struct remotes *remotes, uint64_t hash)
{
	struct remote_row unknown = {
		.protocol = "", .address = "[unknown]", .port = ROW_NULL, .own = false};
	struct remote *remote = find(remotes, hash);
	struct remote_entry *entry;
	int err = 0;

	if (!remote) {
		entry = entry_of(remotes, "socket", &unknown, &err);
		return entry ? entry->id : err;
	}
	if (!remote->row)
		remote->row = entry_of_remote(remotes, remote, &err);
	return remote->row ? remote->row->id : err;
}
