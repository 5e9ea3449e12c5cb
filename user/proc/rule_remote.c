// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proc/remote_rule.h"
#include "proc/rule_value.h"
#include "proc/wait_rule.h"

static struct remote_rule *remote_rule(struct rule *rule)
{
	return (struct remote_rule *)rule;
}

/* --- reading the keys */

static int parse_protocol(struct rule_parser *parser, struct rule *rule, const char *name,
			  char *value)
{
	(void)name;
	return rule_parser__words(parser, value, &remote_rule(rule)->protocols);
}

static bool read_port(const char **at, uint16_t *ret_port)
{
	char *end;
	unsigned long port = strtoul(*at, &end, 10);

	if (**at < '0' || **at > '9' || !port || port > UINT16_MAX)
		return false;
	*at = end;
	*ret_port = (uint16_t)port;
	return true;
}

static int parse_port(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	struct remote_rule *remote = remote_rule(rule);

	(void)name;
	for (char *word; (word = rule_word__next(&value));) {
		const char *at = word;
		uint16_t first, last;

		if (remote->port_count == REMOTE_PORTS_MAX)
			return rule_parser__error(parser, "more than %d ports or ranges",
						  REMOTE_PORTS_MAX);
		if (!read_port(&at, &first))
			return rule_parser__error(parser, "'%.64s' is no port", word);
		last = first;
		if (*at == '-' && (at++, !read_port(&at, &last)))
			return rule_parser__error(parser, "'%.64s' is no range of ports", word);
		if (*at || last < first)
			return rule_parser__error(parser, "'%.64s' is no range of ports", word);
		remote->ports[remote->port_count].first = first;
		remote->ports[remote->port_count++].last = last;
	}
	return 0;
}

/* "10.0.0.0/8", "2001:db8::1" */
static bool read_network(char *word, struct remote_network *ret_network)
{
	char *slash = strchr(word, '/'), *end;
	bool ok;

	if (slash)
		*slash = '\0';
	ret_network->size = strchr(word, ':') ? 16 : 4;
	ret_network->bits = (unsigned int)ret_network->size * 8;
	ok = inet_pton(ret_network->size == 16 ? AF_INET6 : AF_INET, word, ret_network->address) ==
	     1;
	if (!slash)
		return ok;
	*slash = '/';
	if (slash[1] < '0' || slash[1] > '9')
		return false;
	ret_network->bits = (unsigned int)strtoul(slash + 1, &end, 10);
	return ok && !*end && end - slash <= 4 && ret_network->bits <= ret_network->size * 8;
}

static int parse_address(struct rule_parser *parser, struct rule *rule, const char *name,
			 char *value)
{
	struct remote_rule *remote = remote_rule(rule);

	(void)name;
	for (char *word; (word = rule_word__next(&value));) {
		if (remote->network_count == REMOTE_NETWORKS_MAX)
			return rule_parser__error(parser, "more than %d addresses",
						  REMOTE_NETWORKS_MAX);
		if (!read_network(word, &remote->networks[remote->network_count]))
			return rule_parser__error(parser,
						  "'%.64s' is no address: 10.1.2.3, 10.0.0.0/8 or "
						  "2001:db8::/32; names are not looked up",
						  word);
		remote->network_count++;
	}
	return 0;
}

static int parse_path(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return rule_parser__words(parser, value, &remote_rule(rule)->paths);
}

static int parse_service(struct rule_parser *parser, struct rule *rule, const char *name,
			 char *value)
{
	(void)name;
	if (strlen(value) > RULE_NAME_LIMIT)
		return rule_parser__error(parser, "a name of more than %d bytes", RULE_NAME_LIMIT);
	return rule_parser__text(parser, value, &remote_rule(rule)->service);
}

static int parse_wait(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return wait_rule__parse_class(parser, value, &remote_rule(rule)->wait);
}

static int finish_remote(struct rule_parser *parser, struct rule *rule)
{
	struct remote_rule *remote = remote_rule(rule);
	bool internet = remote->port_count || remote->network_count;

	if (!remote->service)
		return rule_parser__error_at(parser, rule->line, "the rule needs service = NAME");
	if (!internet && !remote->paths.count && !remote->protocols.count)
		return rule_parser__error_at(
			parser, rule->line,
			"the rule needs port, address, path or protocol: which remotes it means");
	if (internet && remote->paths.count)
		return rule_parser__error_at(
			parser, rule->line,
			"a path is that of a Unix socket, which has neither port nor address: "
			"make two rules of it");
	return 0;
}

static void print_remote(const struct rule *rule, FILE *stream)
{
	const struct remote_rule *remote = (const struct remote_rule *)rule;
	char text[INET6_ADDRSTRLEN];

	rule_words__print(&remote->protocols, "protocol", stream);
	if (remote->port_count)
		fprintf(stream, "%sport", remote->protocols.count ? " " : "");
	for (size_t i = 0; i < remote->port_count; i++) {
		fprintf(stream, " %u", remote->ports[i].first);
		if (remote->ports[i].last != remote->ports[i].first)
			fprintf(stream, "-%u", remote->ports[i].last);
	}
	if (remote->network_count)
		fputs(" address", stream);
	for (size_t i = 0; i < remote->network_count; i++) {
		const struct remote_network *network = &remote->networks[i];

		inet_ntop(network->size == 16 ? AF_INET6 : AF_INET, network->address, text,
			  sizeof(text));
		fprintf(stream, " %s/%u", text, network->bits);
	}
	rule_words__print(&remote->paths, " path", stream);
	fprintf(stream, " -> service %s", remote->service);
	if (remote->wait)
		fprintf(stream, ", wait %s", remote->wait);
}

static const struct rule_key remote_keys[] = {
	{"protocol", RULE_KEY_ONCE, parse_protocol}, {"port", RULE_KEY_ONCE, parse_port},
	{"address", RULE_KEY_ONCE, parse_address},   {"path", RULE_KEY_ONCE, parse_path},
	{"service", RULE_KEY_ONCE, parse_service},   {"wait", RULE_KEY_ONCE, parse_wait},
};

#define REMOTE_KEY_COUNT (sizeof(remote_keys) / sizeof(remote_keys[0]))

_Static_assert(REMOTE_KEY_COUNT <= RULE_KEYS_MAX, "struct stanza counts the keys");

const struct rule_kind rule_kind__remote = {
	.name = "remote",
	.rule_size = sizeof(struct remote_rule),
	.keys = remote_keys,
	.key_count = REMOTE_KEY_COUNT,
	.finish = finish_remote,
	.print = print_remote,
};

/* --- looking at a remote */

static bool in_network(const struct remote_network *network, const struct remote_facts *facts)
{
	unsigned int bytes = network->bits / 8, rest = network->bits % 8;

	if (network->size != facts->address_size ||
	    memcmp(network->address, facts->address, bytes) != 0)
		return false;
	return !rest ||
	       !((network->address[bytes] ^ facts->address[bytes]) & (0xff00 >> rest & 0xff));
}

static bool holds(const struct remote_rule *rule, const struct remote_facts *facts)
{
	bool found = !rule->port_count;

	if (rule->protocols.count && !rule_words__match(&rule->protocols, facts->protocol))
		return false;
	for (size_t i = 0; i < rule->port_count; i++)
		found |= facts->port >= rule->ports[i].first && facts->port <= rule->ports[i].last;
	if (!found)
		return false;
	found = !rule->network_count;
	for (size_t i = 0; i < rule->network_count; i++)
		found |= in_network(&rule->networks[i], facts);
	if (!found)
		return false;
	return !rule->paths.count || (facts->path && rule_words__match(&rule->paths, facts->path));
}

const struct remote_rule *rules__remote(const struct rules *rules, const struct remote_facts *facts)
{
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct rule *rule = rules__at(rules, i);

		if (rule->kind == &rule_kind__remote &&
		    holds((const struct remote_rule *)rule, facts))
			return (const struct remote_rule *)rule;
	}
	return NULL;
}
