// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
/* Input: RULES \x01 ARGUMENTS \x01 CGROUP \x01 VALUE \x01 COMM, each part may be missing. ARGUMENTS
 * has NULs between its words; VALUE is that of every environment variable the rules want. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proc/remote_rule.h"
#include "proc/rules.h"
#include "proc/wait_rule.h"

#define SEPARATOR '\x01'

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
	const char *at;
	size_t size;
};

static struct part cut(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memchr(*data, SEPARATOR, *size) : NULL;
	struct part part = {(const char *)*data, end ? (size_t)(end - *data) : *size};

	*data += part.size + !!end;
	*size -= part.size + !!end;
	return part;
}

/* A copy of its own, so that a read behind its end is seen. */
static char *string_of(struct part part)
{
	char *text = strndup(part.size ? part.at : "", part.size);

	if (!text)
		abort();
	return text;
}

static void count_error(const struct rules_error *error, void *context)
{
	if (error->line < 1 || !error->message[0])
		abort();
	++*(int *)context;
}

static void check_name(const char *name)
{
	size_t size = strlen(name);

	if (!size || size > RULES_TEXT_LIMIT)
		abort();
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			abort();
	}
}

static void identify(struct rules *rules, struct part arguments, char *const texts[3])
{
	static const struct identity parent = {"task", "job", "multiprocessing-spawn"};
	struct environment_variable variables[RULES_ENVIRONMENT_MAX];
	struct process_facts facts = {
		.comm = texts[2],
		.arguments = arguments.at,
		.arguments_size = arguments.size,
		.cgroup = texts[0],
		.environment = variables,
	};
	const char *const *names = rules__environment_names(rules, &facts.environment_count);
	struct identity identity;

	if (facts.environment_count > RULES_ENVIRONMENT_MAX)
		abort();
	for (size_t i = 0; i < facts.environment_count; i++)
		variables[i] = (struct environment_variable){names[i], texts[1]};
	for (int with_all = 0; with_all < 2; with_all++) {
		if (with_all)
			facts.parent = &parent;
		else
			facts.environment_count = 0;
		if (rules__identify(rules, &facts, &identity))
			abort();
		check_name(identity.task);
		if (identity.job)
			check_name(identity.job);
		rules__environment_names(rules, &facts.environment_count);
	}
}

static bool frame_at(void *context, size_t index, struct wait_frame *ret_frame)
{
	static const char *const kinds[] = {"kernel", "native", "interpreter", "python"};

	if (index >= sizeof(kinds) / sizeof(kinds[0]))
		return false;
	*ret_frame = (struct wait_frame){kinds[index], context, context};
	return true;
}

/* A remote whose address and port are `value`'s first bytes, and a stack of functions of its name.
 */
static void look_at(const struct rules *rules, char *value)
{
	struct remote_facts facts = {.protocol = "tcp", .path = value};
	const struct remote_rule *remote = rules__remote(rules, &facts);
	const struct wait_rule *wait;
	uint8_t calls[PS_SYSCALL_LIMIT] = {0};
	size_t size = strlen(value);

	if (remote && !*remote->service)
		abort();
	facts.path = NULL;
	memcpy(facts.address, value, size < 16 ? size : 16);
	memcpy(&facts.port, value, size < 2 ? size : 2);
	for (facts.address_size = 4; facts.address_size <= 16; facts.address_size += 12)
		rules__remote(rules, &facts);
	rules__wait_calls(rules, calls);
	wait = rules__wait_stack(rules, "lock", frame_at, value);
	if (wait && (!*wait->wait || !rules__refines(rules, "lock")))
		abort();
	rules__wait_call(rules, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part text = cut(&data, &size), arguments = cut(&data, &size);
	struct part cgroup = cut(&data, &size), value = cut(&data, &size);
	char *texts[3] = {string_of(cgroup), string_of(value), string_of(cut(&data, &size))};
	const char *type, *rule;
	struct rules *rules = NULL;
	int error_count = 0, err;

	if (rules__new(&rules))
		abort();
	err = rules__add_text(rules, "fuzz", text.at, text.size, count_error, &error_count);
	if (err != (error_count ? -EBADMSG : 0))
		abort();
	identify(rules, arguments, texts);
	look_at(rules, texts[1]);
	if (rules__dataset(rules, texts[1], &type, &rule) == 1)
		check_name(type);
	rules__free(rules);
	for (int i = 0; i < 3; i++)
		free(texts[i]);
	return 0;
}
