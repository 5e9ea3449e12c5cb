// SPDX-License-Identifier: GPL-2.0-or-later
#include "python/layout.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define COOKIE	    "xdebugpy"
#define COOKIE_SIZE 8

/* No structure read here is larger; what says so is damaged. The runtime's state is: it holds
 * the static objects and the main interpreter. */
#define STRUCT_LIMIT  16384
#define FRAME_LIMIT   128 /* struct ps_py_offsets.frame_size */
#define RUNTIME_LIMIT (64u << 20)

/* Where a version's _Py_DebugOffsets keeps its fields, named as there. */
struct debug_fields {
	uint16_t python; /* (major << 8) | minor */
	uint16_t size;
	uint16_t version, free_threaded;
	uint16_t runtime_state_size, runtime_state_interpreters_head;
	uint16_t interpreter_state_size, interpreter_state_imports_modules;
	uint16_t thread_state_size, thread_state_current_frame, thread_state_thread_id;
	uint16_t interpreter_frame_size, interpreter_frame_previous, interpreter_frame_executable;
	uint16_t interpreter_frame_instr_ptr, interpreter_frame_localsplus, interpreter_frame_owner;
	uint16_t code_object_size, code_object_filename, code_object_name, code_object_qualname;
	uint16_t code_object_linetable, code_object_firstlineno, code_object_co_code_adaptive;
	uint16_t pyobject_ob_type;
	uint16_t bytes_object_size, bytes_object_ob_size, bytes_object_ob_sval;
	uint16_t unicode_object_size, unicode_object_state, unicode_object_length;
	uint16_t unicode_object_asciiobject_size;
};

#include "python/offsets.inc"

/* A reader of published offsets that notes the first nonsense. */
struct published {
	const uint8_t *bytes;
	bool nonsense;
};

static const struct python_layout *find_layout(uint16_t version)
{
	for (const struct python_layout *layout = layouts; layout->walker.version; layout++)
		if (layout->walker.version == version)
			return layout;
	return NULL;
}

const struct python_layout *python_layout__of(uint16_t version)
{
	return version <= 0x030c ? find_layout(version) : NULL;
}

uint16_t python_layout__version_of_hex(uint64_t hex)
{
	unsigned int level = hex >> 4 & 0xf; /* 0xa alpha, 0xb beta, 0xc candidate, 0xf final */

	if (hex > UINT32_MAX || hex >> 24 != 3 || level < 0xc)
		return 0;
	return (uint16_t)(hex >> 16);
}

static uint64_t published_word(const struct published *published, uint16_t field)
{
	uint64_t word;

	memcpy(&word, published->bytes + field, sizeof(word));
	return word;
}

static uint64_t published_size(struct published *published, uint16_t field, uint64_t limit)
{
	uint64_t size = published_word(published, field);

	if (size < sizeof(uint64_t) || size > limit)
		published->nonsense = true;
	return size;
}

/* An offset of something of `bytes` bytes, aligned as C does it, in a structure of `size`. */
static uint16_t published_offset(struct published *published, uint16_t field, uint64_t bytes,
				 uint64_t size)
{
	uint64_t offset = published_word(published, field);

	if (size < bytes || offset > size - bytes || offset % bytes || offset >= PS_PY_NO_FIELD) {
		published->nonsense = true;
		return 0;
	}
	return (uint16_t)offset;
}

static void take_walker(struct published *published, const struct debug_fields *fields,
			struct python_layout *layout)
{
	struct ps_py_offsets *walker = &layout->walker;
	uint64_t tstate = published_size(published, fields->thread_state_size, STRUCT_LIMIT);
	uint64_t frame = published_size(published, fields->interpreter_frame_size, STRUCT_LIMIT);
	uint64_t code = published_size(published, fields->code_object_size, STRUCT_LIMIT);

	/* The frame's locals are behind what is read of it. */
	if (frame > FRAME_LIMIT)
		frame = FRAME_LIMIT;
	walker->tstate_frame =
		published_offset(published, fields->thread_state_current_frame, 8, tstate);
	walker->tstate_thread_id =
		published_offset(published, fields->thread_state_thread_id, 8, tstate);
	walker->frame_code =
		published_offset(published, fields->interpreter_frame_executable, 8, frame);
	walker->frame_previous =
		published_offset(published, fields->interpreter_frame_previous, 8, frame);
	walker->frame_position =
		published_offset(published, fields->interpreter_frame_instr_ptr, 8, frame);
	walker->frame_owner =
		published_offset(published, fields->interpreter_frame_owner, 1, frame);
	walker->frame_locals =
		published_offset(published, fields->interpreter_frame_localsplus, 8,
				 published_word(published, fields->interpreter_frame_size));
	walker->code_bytecode =
		published_offset(published, fields->code_object_co_code_adaptive, 2, code);

	walker->frame_size = walker->frame_owner + 1;
	if (walker->frame_size < walker->frame_code + 8)
		walker->frame_size = walker->frame_code + 8;
	if (walker->frame_size < walker->frame_previous + 8)
		walker->frame_size = walker->frame_previous + 8;
	if (walker->frame_size < walker->frame_position + 8)
		walker->frame_size = walker->frame_position + 8;
}

static void take_objects(struct published *published, const struct debug_fields *fields,
			 const struct python_layout *known, struct python_layout *layout)
{
	uint64_t code = published_size(published, fields->code_object_size, STRUCT_LIMIT);
	uint64_t bytes = published_size(published, fields->bytes_object_size, STRUCT_LIMIT);
	uint64_t text = published_size(published, fields->unicode_object_size, STRUCT_LIMIT);
	uint16_t compact_more = layout->text_data - layout->text_ascii_data;

	layout->object_type = published_offset(published, fields->pyobject_ob_type, 8, code);
	layout->code_first_line =
		published_offset(published, fields->code_object_firstlineno, 4, code);
	layout->code_name = published_offset(published, fields->code_object_name, 8, code);
	layout->code_qualname = published_offset(published, fields->code_object_qualname, 8, code);
	layout->code_file = published_offset(published, fields->code_object_filename, 8, code);
	layout->code_lines = published_offset(published, fields->code_object_linetable, 8, code);
	/* Not published: it lies between two that are, or else the name has to do. */
	if (layout->code_first_line != known->code_first_line ||
	    layout->code_file != known->code_file)
		layout->code_more = layout->code_name;
	layout->bytes_size = published_offset(published, fields->bytes_object_ob_size, 8, bytes);
	layout->bytes_data = published_offset(published, fields->bytes_object_ob_sval, 1, bytes);
	layout->text_length = published_offset(published, fields->unicode_object_length, 8, text);
	layout->text_state = published_offset(published, fields->unicode_object_state, 4, text);
	layout->text_ascii_data =
		published_offset(published, fields->unicode_object_asciiobject_size, 8, text);
	layout->text_data = layout->text_ascii_data + compact_more;
}

int python_layout__from_debug_offsets(const void *bytes, size_t size, uint16_t *ret_version,
				      struct python_layout *ret)
{
	struct published published = {.bytes = bytes};
	const struct debug_fields *fields = debug_fields;
	const struct python_layout *known;
	struct python_layout layout;
	uint64_t hex, runtime;
	uint16_t version;

	if (size < COOKIE_SIZE || memcmp(bytes, COOKIE, COOKIE_SIZE))
		return -ENOENT;
	/* The version follows the cookie in every layout: it names the layout of the rest. */
	if (size < COOKIE_SIZE + sizeof(hex))
		return -EBADMSG;
	hex = published_word(&published, COOKIE_SIZE);
	*ret_version = hex <= UINT32_MAX ? (uint16_t)(hex >> 16) : 0;
	version = python_layout__version_of_hex(hex);
	while (fields->python && fields->python != version)
		fields++;
	known = find_layout(version);
	if (!fields->python || !known || fields->version != COOKIE_SIZE)
		return -EOPNOTSUPP;
	if (size < fields->size)
		return -EBADMSG;
	if (published_word(&published, fields->free_threaded))
		return -EOPNOTSUPP;

	layout = *known;
	runtime = published_size(&published, fields->runtime_state_size, RUNTIME_LIMIT);
	layout.runtime_interpreters =
		published_offset(&published, fields->runtime_state_interpreters_head, 8, runtime);
	take_walker(&published, fields, &layout);
	take_objects(&published, fields, known, &layout);
	layout.interpreter_modules = published_offset(
		&published, fields->interpreter_state_imports_modules, 8,
		published_size(&published, fields->interpreter_state_size, RUNTIME_LIMIT));
	if (published.nonsense)
		return -EBADMSG;
	/* The pthread key's place is not published. Should the fields in front of it have moved,
	 * the key has moved as well, and nobody knows where to. */
	if (layout.runtime_interpreters != known->runtime_interpreters ||
	    layout.walker.runtime_tss_key + sizeof(uint32_t) > runtime)
		return -EOPNOTSUPP;
	*ret = layout;
	return 0;
}

#define CHECK_LIMIT 128 /* struct ps_py_offsets.check_size */

struct ps_py_offsets python_layout__for_walker(const struct python_layout *layout)
{
	struct ps_py_offsets walker = layout->walker;
	uint16_t name =
		layout->code_qualname != PS_PY_NO_FIELD ? layout->code_qualname : layout->code_name;
	uint16_t more = walker.version >= PS_PY_NUMBERED ? layout->code_more : layout->code_flags;
	const uint16_t fields[] = {name, layout->code_file, layout->code_lines,
				   layout->code_first_line, more};
	uint16_t start = UINT16_MAX, end = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i] < start)
			start = fields[i];
		if (fields[i] + sizeof(uint64_t) > end)
			end = fields[i] + sizeof(uint64_t);
	}
	walker.type_flags = layout->type_flags;
	walker.text_data = layout->text_ascii_data;
	walker.int_size = layout->int_size;
	walker.int_tag_shift = layout->int_tag_shift;
	/* The walker takes the pointers from where they are read to: aligned. */
	start &= ~(sizeof(uint64_t) - 1);
	if (end - start > CHECK_LIMIT)
		return walker;
	walker.check_start = start;
	walker.check_size = end - start;
	walker.check_name = name - start;
	walker.check_file = layout->code_file - start;
	walker.check_lines = layout->code_lines - start;
	walker.check_first_line = layout->code_first_line - start;
	walker.check_more = (uint8_t)(more - start);
	return walker;
}
