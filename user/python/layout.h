/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a CPython build keeps the fields that are read from outside. Builds with the GIL only.
 *
 * Two sources. CPython 3.8-3.12: offsets.inc, made by scripts/gen-python-offsets.sh from CPython's
 * own headers. 3.13 and later: what the interpreter publishes at the start of _PyRuntime
 * (_Py_DebugOffsets, known by its cookie); what it does not publish comes from offsets.inc too:
 * runtime_tss_key, shim_owner, code_tag_bits, code_flags, code_more, the bits of text_state and
 * text_data, and all that is below bytes_data but interpreter_modules. */
#ifndef PYTHON_LAYOUT_H
#define PYTHON_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "python.h"
#include "python/lines.h"

/* Bytes of _PyRuntime that python_layout__from_debug_offsets() wants to see. */
#define PYTHON_DEBUG_OFFSETS_SIZE 1024

/* Where an instance of a class has its attributes. */
enum python_instances {
	PYTHON_INSTANCES_DICT, /* <= 3.10: in a dict */
	PYTHON_INSTANCES_APART, /* 3.11: in values, or else in a dict; two words for them */
	PYTHON_INSTANCES_TAGGED, /* 3.12: one word for both, bit 0 set: values */
	PYTHON_INSTANCES_INLINE, /* 3.13+: in values behind the instance, or else in a dict */
};

/* Offsets in bytes unless said otherwise; PS_PY_NO_FIELD: this version has no such field. */
struct python_layout {
	struct ps_py_offsets walker;
	enum python_line_format line_format;

	uint16_t runtime_interpreters; /* _PyRuntimeState.interpreters.head */
	uint16_t object_type; /* PyObject.ob_type */

	/* PyCodeObject */
	uint16_t code_flags, code_first_line; /* both an int */
	uint16_t code_name, code_qualname, code_file; /* str; co_qualname: 3.11+ */
	uint16_t code_lines; /* bytes: co_lnotab or co_linetable */
	uint16_t code_more; /* 3.12+: 8 bytes that hold co_version */

	/* str, compact: PyASCIIObject and PyCompactUnicodeObject */
	uint16_t text_length; /* Py_ssize_t, in characters */
	uint16_t text_state; /* a word of 32 bits: */
	uint32_t text_kind_bits, text_compact_bit, text_ascii_bit; /* masks of it */
	uint16_t text_ascii_data, text_data; /* the characters: ASCII, others */

	/* bytes */
	uint16_t bytes_size; /* Py_ssize_t */
	uint16_t bytes_data;

	/* Local variables: their names (tuples) in the order of their slots. 3.11+: all of them in
	 * code_local_names, their kinds (bytes) in code_local_kinds. */
	uint16_t code_local_names, code_local_kinds, code_cell_names, code_free_names;
	uint16_t cell_object; /* what a cell holds */

	/* types and their instances */
	enum python_instances instances;
	uint16_t values_first; /* PyDictValues.values */
	uint16_t type_name, type_basic_size, type_flags, type_dict_offset, type_dict, type_mro;
	uint16_t type_qualname, type_cached_keys; /* of classes made by Python code */
	uint16_t member_definition; /* PyMemberDescrObject.d_member */

	/* tuple, list, dict, int, float */
	uint16_t sequence_size, tuple_items, list_items;
	uint16_t dict_used, dict_keys, dict_values;
	uint16_t keys_size; /* <= 3.10: dk_size, else dk_log2_index_bytes and dk_kind, bytes */
	uint16_t keys_index_bytes, keys_kind, keys_entry_count, keys_indices;
	uint16_t int_size, int_digits, int_tag_shift; /* 3.12+: the size is above that many bits */
	uint16_t float_value;

	uint16_t interpreter_modules; /* PyInterpreterState: the dict that is sys.modules */
};

/* The layout of a version, (major << 8) | minor, up to 3.12. NULL: not known, or a version that
 * publishes its layout itself. Static. */
const struct python_layout *python_layout__of(uint16_t version);

/* Reads the start of _PyRuntime (PYTHON_DEBUG_OFFSETS_SIZE bytes, or as many as there are), in
 * the machine's byte order. *ret_version is set as soon as the cookie was found, whatever is
 * returned. -ENOENT: no cookie; -EOPNOTSUPP: free-threaded, an alpha or beta, or an unknown
 * version; -EBADMSG: nonsense. */
int python_layout__from_debug_offsets(const void *bytes, size_t size, uint16_t *ret_version,
				      struct python_layout *ret);

/* The layout as the walker wants it: with what tells code objects apart (check_*), when one read of
 * 128 bytes can hold it. */
struct ps_py_offsets python_layout__for_walker(const struct python_layout *layout);

/* The version in CPython's PY_VERSION_HEX as (major << 8) | minor. 0: not a release or a release
 * candidate of CPython 3, whose layouts are final. */
uint16_t python_layout__version_of_hex(uint64_t hex);

#endif
