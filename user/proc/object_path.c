// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc/object_path.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/strings.h"

#define INDEX_DIGITS 4

struct scanner {
	struct string_pool *pool;
	const char *at;
	const char *error;
};

static int wrong(struct scanner *scanner, const char *error)
{
	scanner->error = error;
	return -EBADMSG;
}

static bool is_name_byte(char byte, bool first)
{
	return byte == '_' || isalpha((unsigned char)byte) ||
	       (!first && isdigit((unsigned char)byte));
}

static int take_name(struct scanner *scanner, const char **ret_name)
{
	size_t size = 0;

	while (is_name_byte(scanner->at[size], !size))
		size++;
	if (!size)
		return wrong(scanner, "a name is missing");
	if (size > OBJECT_PATH_NAME)
		return wrong(scanner, "a name is longer than 64 bytes");
	*ret_name = string_pool__intern_bytes(scanner->pool, scanner->at, size);
	scanner->at += size;
	return *ret_name ? 0 : -ENOMEM;
}

static int take_key(struct scanner *scanner, struct object_step *step)
{
	char quote = *scanner->at++;
	const char *end = strchr(scanner->at, quote);

	if (!end || end[1] != ']')
		return wrong(scanner, "a key does not end in a quote and ]");
	if (end == scanner->at || end - scanner->at > OBJECT_PATH_NAME)
		return wrong(scanner, "a key has 1 to 64 bytes");
	step->kind = OBJECT_STEP_KEY;
	step->name =
		string_pool__intern_bytes(scanner->pool, scanner->at, (size_t)(end - scanner->at));
	scanner->at = end + 2;
	return step->name ? 0 : -ENOMEM;
}

static int take_index(struct scanner *scanner, struct object_step *step)
{
	size_t digits = strspn(scanner->at, "0123456789");

	if (!digits || digits > INDEX_DIGITS || scanner->at[digits] != ']')
		return wrong(scanner, "in [] stands a number below 10000 or a key in quotes");
	step->kind = OBJECT_STEP_INDEX;
	step->index = (uint32_t)strtoul(scanner->at, NULL, 10);
	scanner->at += digits + 1;
	return 0;
}

static int take_step(struct scanner *scanner, struct object_step *step)
{
	char byte = *scanner->at++;
	int err;

	if (byte == '.') {
		step->kind = OBJECT_STEP_ATTRIBUTE;
		err = take_name(scanner, &step->name);
		if (!err && !strcmp(step->name, "__class__"))
			step->kind = OBJECT_STEP_CLASS;
		return err;
	}
	if (byte != '[')
		return wrong(scanner, "behind a name stands '.', '[' or the end");
	return *scanner->at == '"' || *scanner->at == '\'' ? take_key(scanner, step)
							   : take_index(scanner, step);
}

static int take_module(struct scanner *scanner, const char *colon, struct object_path *path)
{
	size_t size = (size_t)(colon - scanner->at);

	if (!size || size > OBJECT_PATH_MODULE)
		return wrong(scanner, "the name of a module has 1 to 128 bytes");
	for (size_t i = 0; i < size; i++)
		if (!is_name_byte(scanner->at[i], !i) && scanner->at[i] != '.')
			return wrong(scanner, "that is no name of a module");
	path->module = string_pool__intern_bytes(scanner->pool, scanner->at, size);
	scanner->at = colon + 1;
	return path->module ? 0 : -ENOMEM;
}

int object_path__parse(struct string_pool *pool, const char *text, struct object_path *ret_path,
		       const char **ret_error)
{
	struct scanner scanner = {.pool = pool, .at = text};
	struct object_path path = {0};
	size_t head = strcspn(text, ":['\"");
	int err = 0;

	if (text[head] == ':')
		err = take_module(&scanner, text + head, &path);
	if (!err)
		err = take_name(&scanner, &path.variable);
	while (!err && *scanner.at) {
		if (path.step_count == OBJECT_PATH_STEPS)
			err = wrong(&scanner, "a path has at most 10 steps");
		else
			err = take_step(&scanner, &path.steps[path.step_count++]);
	}
	if (!err)
		*ret_path = path;
	else if (err == -EBADMSG)
		*ret_error = scanner.error;
	return err;
}
