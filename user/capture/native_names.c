// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/native_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/cleanup.h"
#include "capture/finisher.h"
#include "model/stack_tree.h"
#include "store/writer.h"
#include "symbols/demangle.h"
#include "symbols/elf.h"

/* What the finisher knows of a binary. */
struct native_file {
	const struct binary *binary;
	int number; /* < 0: it has no debug information */
	UT_hash_handle hh;
};

/* What is known of a frame when the finisher is asked. */
struct asked {
	enum function_kind kind;
	bool named; /* by a symbol: DWARF does not know the names of clones */
	const char *module; /* the binary's path, behind the name */
	char name[];
};

struct native_names {
	struct stack_tree *tree;
	struct finisher *finisher;
	struct native_file *files;
	int64_t last_frame; /* the highest id so far: ids count up */
	uint64_t not_asked;
};

struct native_names *native_names__new(struct stack_tree *tree, struct finisher *finisher)
{
	struct native_names *natives = calloc(1, sizeof(*natives));

	if (!natives)
		return NULL;
	natives->tree = tree;
	natives->finisher = finisher;
	return natives;
}

void native_names__free(struct native_names *natives)
{
	struct native_file *one, *next;

	if (!natives)
		return;
	HASH_ITER (hh, natives->files, one, next) {
		HASH_DEL(natives->files, one);
		free(one);
	}
	free(natives);
}

/* The one place that decides what a function without a symbol is called: "library+0x1230" by the
 * start that its call-frame information tells, never a neighbour's name. malloc'ed. */
static char *unnamed(const struct binary *binary, uint64_t file_address)
{
	struct elf_symbol extent;
	char *name;
	int size;

	if (file_address && !elf_symbols__extent(binary->symbols, file_address, &extent))
		size = asprintf(&name, "%s+0x%" PRIx64, binary->name, extent.start);
	else
		size = asprintf(&name, "[%s]", binary->name);
	return size < 0 ? NULL : name;
}

/* malloc'ed; NULL: no memory. */
static char *name_of(const struct binary *binary, uint64_t file_address, bool *ret_named)
{
	struct elf_symbol symbol;
	char *demangled;

	*ret_named = file_address && !elf_symbols__find(binary->symbols, file_address, &symbol);
	if (!*ret_named)
		return unnamed(binary, file_address);
	demangled = symbol__demangle(symbol.name);
	return demangled ? demangled : strdup(symbol.name);
}

/* The binary as the finisher knows it; it is told at first sight. NULL: no memory. */
static const struct native_file *file_of(struct native_names *natives, const struct binary *binary)
{
	struct native_file *file;
	const uint8_t *build_id;
	size_t size = 0;
	int dwarf;

	HASH_FIND(hh, natives->files, &binary, sizeof(binary), file);
	if (file)
		return file;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->binary = binary;
	HASH_ADD(hh, natives->files, binary, sizeof(file->binary), file);
	if (!file->hh.tbl) {
		free(file);
		return NULL;
	}
	build_id = elf_symbols__build_id(binary->symbols, &size);
	dwarf = elf_symbols__take_dwarf(binary->symbols);
	file->number =
		finisher__add_file(natives->finisher, dwarf < 0 ? -1 : dwarf, build_id, size);
	return file;
}

void native_names__forget(struct native_names *natives, const struct binary *binary)
{
	struct native_file *file;

	HASH_FIND(hh, natives->files, &binary, sizeof(binary), file);
	if (!file)
		return;
	if (file->number >= 0)
		finisher__forget_file(natives->finisher, file->number);
	HASH_DEL(natives->files, file);
	free(file);
}

static int ask(struct native_names *natives, int file, int64_t frame, uint64_t address,
	       const struct stack_function *function, bool named)
{
	size_t size = strlen(function->name) + 1, module_size = strlen(function->module) + 1;
	struct asked *asked = malloc(sizeof(*asked) + size + module_size);
	int err;

	if (!asked)
		return -ENOMEM;
	asked->kind = function->kind;
	asked->named = named;
	memcpy(asked->name, function->name, size);
	asked->module = memcpy(asked->name + size, function->module, module_size);
	err = finisher__ask(natives->finisher, file, frame, address, asked);
	if (err == -ENOBUFS)
		natives->not_asked++;
	return unless_dropped(err);
}

static int64_t frame_with_lines(struct native_names *natives, int file, int64_t function_id,
				uint64_t address, const struct stack_function *function, bool named)
{
	int64_t frame = stack_tree__frame_at(natives->tree, function_id, (int64_t)address);
	int err = 0;

	if (frame > natives->last_frame) {
		natives->last_frame = frame;
		err = ask(natives, file, frame, address, function, named);
	}
	return err ? err : frame;
}

int64_t native_names__frame(struct native_names *natives, struct binary *binary,
			    const struct mapping *mapping, uint64_t address, bool interpreter)
{
	struct stack_function function = {.kind = FUNCTION_NATIVE, .module = binary->path};
	_cleanup_free_ char *name = NULL;
	const struct native_file *file;
	uint64_t file_address;
	int64_t id;
	bool named;

	if (interpreter)
		function.kind = FUNCTION_INTERPRETER;
	if (binary__address(binary, mapping, address, &file_address))
		file_address = 0;
	function.name = name = name_of(binary, file_address, &named);
	if (!name)
		return -ENOMEM;
	id = stack_tree__function(natives->tree, &function);
	if (id < 0 || !file_address || file_address > INT64_MAX || !natives->finisher)
		return id < 0 ? id : stack_tree__frame(natives->tree, id, 0);
	file = file_of(natives, binary);
	if (!file)
		return -ENOMEM;
	/* A frame for each address only where that can tell more. */
	if (file->number < 0 || !finisher__may_know(natives->finisher, file->number))
		return stack_tree__frame(natives->tree, id, 0);
	return frame_with_lines(natives, file->number, id, file_address, &function, named);
}

/* --- what was found */

static int write_found(struct native_names *natives, const struct finished *found)
{
	const struct asked *asked = found->context;
	struct stack_line chain[LINES_MAX_DEPTH];

	for (size_t i = 0; i < found->count; i++) {
		const struct line_frame *frame = &found->chain[i];
		bool own = i + 1 == found->count;
		struct stack_function function = {
			.kind = asked->kind,
			.name = frame->name ? frame->name : "[unnamed]",
			.file = frame->file,
			.module = asked->module,
			.line = frame->first_line,
		};

		if (own && (asked->named || !frame->name))
			function.name = asked->name;
		chain[i].function = stack_tree__function(natives->tree, &function);
		chain[i].line = frame->line;
		if (chain[i].function < 0)
			return (int)chain[i].function;
	}
	if (!found->count)
		return 0;
	return stack_tree__expand(natives->tree, found->frame, (int64_t)found->address, chain,
				  found->count);
}

int native_names__take(struct native_names *natives)
{
	struct finished *found, *next;
	int err = 0;

	if (!natives->finisher)
		return 0;
	for (found = finisher__take(natives->finisher); found; found = next) {
		next = found->next;
		if (!err)
			err = unless_dropped(write_found(natives, found));
		free(found->context);
		free(found);
	}
	return err;
}

uint64_t native_names__missing(const struct native_names *natives)
{
	if (!natives->finisher)
		return 0;
	return natives->not_asked + finisher__given_up(natives->finisher) +
	       finisher__waiting(natives->finisher);
}
