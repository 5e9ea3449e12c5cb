// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python unwind proc base
// Input: minor version (8-12), offset of the first object in units of 8, a path with its NUL, then
// a memory that lies at 0x10000.
#include <stdlib.h>
#include <string.h>

#include "base/strings.h"
#include "fuzz_memory.h"
#include "python/objects.h"

#define TEXT_LIMIT 64

static int take_member(void *context, const char *key, uint64_t object)
{
	struct python_reader *reader = context;
	char *text = NULL;

	if (strlen(key) > OBJECT_PATH_NAME)
		abort();
	if (!python_object__text(reader, object, TEXT_LIMIT, &text) && strlen(text) > TEXT_LIMIT)
		abort();
	free(text);
	return 0;
}

static void read_all(struct python_reader *reader, uint64_t start, struct object_path *path)
{
	char *text = NULL, uuid[PYTHON_UUID_SIZE];
	struct python_local local;
	uint64_t object;
	uint64_t number;

	python_code__local(reader, start, "x", &local);
	if (python_object__follow(reader, start, path, &object))
		return;
	if (!python_object__text(reader, object, TEXT_LIMIT, &text) && strlen(text) > TEXT_LIMIT)
		abort();
	free(text);
	if (!python_object__uuid(reader, object, uuid) && strlen(uuid) != PYTHON_UUID_SIZE - 1)
		abort();
	python_object__number(reader, object, &number);
	python_object__count(reader, object, &number);
	python_object__item(reader, object, 1, &object);
	python_object__members(reader, object, take_member, reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {.memory.read = fuzz_input__read};
	const uint8_t *end = size > 2 ? memchr(data + 2, '\0', size - 2) : NULL;
	struct string_pool *pool;
	struct object_path path;
	const char *error;

	if (!end)
		return 0;
	pool = string_pool__new();
	if (!pool)
		abort();
	input.bytes = end + 1;
	input.size = size - (size_t)(end + 1 - data);
	if (!object_path__parse(pool, (const char *)data + 2, &path, &error)) {
		struct python_reader reader = python_reader__of(
			&input.memory, python_layout__of(0x0308 + data[0] % 5), MEMORY_AT);

		/* The second time with the hints of the first. */
		for (int i = 0; i < 2; i++)
			read_all(&reader, MEMORY_AT + data[1] * 8u, &path);
	}
	string_pool__free(pool);
	return 0;
}
