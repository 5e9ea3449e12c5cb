// SPDX-License-Identifier: GPL-2.0-or-later
/* What a person sees of a recording's stacks and images. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tables.h"
#include "symbols/demangle.h"

const char *path__base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* "name (file:12) (inlined)"; malloc'ed, NULL: no memory. */
static char *label_with(const struct tables *tables, const uint64_t *frame, const char *name)
{
	const struct table_function *function = &tables->functions[frame[1]];
	const char *file = path__base(function->file ? function->file : function->module);
	const char *inlined = frame[3] ? " (inlined)" : "";
	char *text;
	int size;

	if (frame[2] != NO_INDEX)
		size = asprintf(&text, "%s (%s:%lld)%s", name, file,
				(long long)tuple_set__at(tables->lines, (uint32_t)frame[2])[1],
				inlined);
	else if (function->kind == FUNCTION_PYTHON)
		size = asprintf(&text, "%s (%s)", name, file);
	else
		size = asprintf(&text, "%s%s", name, inlined);
	return size < 0 ? NULL : text;
}

static const char *label_of(struct tables *tables, const uint64_t *frame)
{
	const struct table_function *function = &tables->functions[frame[1]];
	char *text = label_with(tables, frame, function->name);
	const char *label = text ? tables__intern(tables, text) : NULL;

	free(text);
	return label;
}

char *table_function__short_name(const struct table_function *function)
{
	bool native = function->kind == FUNCTION_NATIVE || function->kind == FUNCTION_INTERPRETER;

	/* What is in brackets is part of a Python name: "<listcomp>". */
	return native ? symbol__shorten(function->name) : strdup(function->name);
}

char *tables__short_label(const struct tables *tables, uint32_t shown)
{
	const uint64_t *frame = tuple_set__at(tables->shown, shown);
	char *name = table_function__short_name(&tables->functions[frame[1]]);
	char *label = name ? label_with(tables, frame, name) : NULL;

	free(name);
	return label;
}

static int find_shown(const struct tables *tables, struct tuple_set *shown, uint32_t *shown_of_node)
{
	for (size_t i = 0; i < tables->node_count; i++) {
		const struct table_node *node = &tables->nodes[i];
		uint32_t caller = node->parent == NO_INDEX ? NO_INDEX : shown_of_node[node->parent];
		int error = 0;

		if (tables->functions[node->function].eval_loop)
			shown_of_node[i] = caller;
		else
			error = tuple_set__add(shown,
					       (const uint64_t[]){caller, node->function,
								  node->line, node->inlined},
					       &shown_of_node[i]);
		if (error)
			return error;
	}
	return 0;
}

int tables__shown_stacks(struct tables *tables)
{
	uint32_t *shown_of_node = calloc(tables->node_count + 1, sizeof(*shown_of_node));
	const char **labels = calloc(tables->node_count + 1, sizeof(*labels));
	struct tuple_set *shown = tuple_set__new(4);
	int error = 0;

	if (tables->shown)
		goto cleanup;
	error = shown && shown_of_node && labels ? 0 : -ENOMEM;
	if (!error)
		error = find_shown(tables, shown, shown_of_node);
	for (uint32_t i = 0; !error && i < tuple_set__count(shown); i++) {
		labels[i] = label_of(tables, tuple_set__at(shown, i));
		if (!labels[i])
			error = -ENOMEM;
	}
	if (error)
		goto cleanup;
	tables->shown = shown;
	tables->shown_of_node = shown_of_node;
	tables->shown_labels = labels;
	return 0;
cleanup:
	tuple_set__free(shown);
	free(shown_of_node);
	free(labels);
	return error;
}

/* NULL when text is no array of strings, or an empty one. */
static char *join_arguments(const char *text)
{
	json_t *arguments = json_loads(text, JSON_ALLOW_NUL, NULL);
	char *joined = NULL;
	size_t size = 0, i;
	const json_t *word;
	FILE *stream;

	if (!json_is_array(arguments) || !json_array_size(arguments))
		goto cleanup;
	stream = open_memstream(&joined, &size);
	if (!stream)
		goto cleanup;
	json_array_foreach(arguments, i, word) fprintf(
		stream, "%s%s", i ? " " : "", json_is_string(word) ? json_string_value(word) : "");
	if (fclose(stream)) {
		free(joined);
		joined = NULL;
	}
cleanup:
	json_decref(arguments);
	return joined;
}

int tables__command(struct tables *tables, uint32_t image, char **ret_command)
{
	char *command = NULL;
	int error;

	if (image == NO_INDEX) {
		command = strdup("(unknown)");
		goto done;
	}
	if (!tables->arguments) {
		error = recording__prepare(tables->recording,
					   "SELECT arguments FROM image WHERE id = ?1",
					   &tables->arguments);
		if (error)
			return error;
	}
	sqlite3_bind_int64(tables->arguments, 1, tables->images[image].id);
	if (recording__step(tables->arguments) > 0) {
		const char *text = (const char *)sqlite3_column_text(tables->arguments, 0);

		if (text)
			command = join_arguments(text);
	}
	sqlite3_reset(tables->arguments);
	if (!command && asprintf(&command, "[%s]", tables->images[image].comm) < 0)
		command = NULL;
done:
	if (!command)
		return -ENOMEM;
	*ret_command = command;
	return 0;
}
