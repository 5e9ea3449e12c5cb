#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes user/python/offsets.inc: where CPython keeps what the walker and the names' reader need,
# taken by offsetof() from CPython's own headers.
#
#   scripts/gen-python-offsets.sh INCLUDE_DIRECTORY|PYTHON-CONFIG... > user/python/offsets.inc
#
# Each argument is a directory that holds Python.h and internal/, or a pythonX.Y-config program. Several
# patch releases of one minor version may be given: they have to agree, else this script fails.
set -eu

cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/offsets.c" <<'END'
#define Py_BUILD_CORE 1
#include <Python.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#if PY_VERSION_HEX < 0x03090000
#include <internal/pycore_pystate.h>
#else
#include <internal/pycore_runtime.h>
#include <internal/pycore_interp.h>
#endif
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_frame.h>
#include <internal/pycore_dict.h>
#else
#include <frameobject.h>
/* Objects/dict-common.h, which is not installed; the same from 3.6 to 3.10. */
typedef struct {
	Py_ssize_t dk_refcnt, dk_size;
	void *dk_lookup;
	Py_ssize_t dk_usable, dk_nentries;
	char dk_indices[];
} dict_keys;
#endif
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_debug_offsets.h>
#include <internal/pycore_interpframe_structs.h>
#include <internal/pycore_stackref.h>
#endif

#define AT(name, type, field) printf("\t\t." name " = %zu,\n", offsetof(type, field))
#define IS(name, value)	      printf("\t\t." name " = %zu,\n", (size_t)(value))
#define NONE(name)	      printf("\t\t." name " = PS_PY_NO_FIELD,\n")
#define FROM_STATE(field)                                                                          \
	({                                                                                         \
		PyASCIIObject object;                                                              \
		unsigned int bits;                                                                 \
		memset(&object, 0, sizeof(object));                                                \
		object.state.field = -1;                                                           \
		memcpy(&bits, &object.state, sizeof(bits));                                        \
		bits;                                                                              \
	})

static void print_walker(void)
{
	printf("\t\t.walker.version = 0x%04x,\n", PY_VERSION_HEX >> 16);
#if PY_VERSION_HEX >= 0x030b0000
	printf("\t\t.walker.position = PS_PY_INSTR_POINTER,\n");
	AT("walker.code_bytecode", PyCodeObject, co_code_adaptive);
#elif PY_VERSION_HEX >= 0x030a0000
	printf("\t\t.walker.position = PS_PY_LASTI_UNITS,\n");
	NONE("walker.code_bytecode");
#else
	printf("\t\t.walker.position = PS_PY_LASTI_BYTES,\n");
	NONE("walker.code_bytecode");
#endif
#if PY_VERSION_HEX >= 0x030c0000
	AT("walker.runtime_tss_key", _PyRuntimeState, autoTSSkey._key);
#else
	AT("walker.runtime_tss_key", _PyRuntimeState, gilstate.autoTSSkey._key);
#endif
	AT("walker.tstate_thread_id", PyThreadState, thread_id);
#if PY_VERSION_HEX >= 0x030d0000
	AT("walker.tstate_frame", PyThreadState, current_frame);
	NONE("walker.cframe_frame");
#elif PY_VERSION_HEX >= 0x030b0000
	AT("walker.tstate_frame", PyThreadState, cframe);
	AT("walker.cframe_frame", _PyCFrame, current_frame);
#else
	AT("walker.tstate_frame", PyThreadState, frame);
	NONE("walker.cframe_frame");
#endif
#if PY_VERSION_HEX >= 0x030d0000
	AT("walker.frame_code", _PyInterpreterFrame, f_executable);
	AT("walker.frame_previous", _PyInterpreterFrame, previous);
	AT("walker.frame_position", _PyInterpreterFrame, instr_ptr);
#elif PY_VERSION_HEX >= 0x030b0000
	AT("walker.frame_code", _PyInterpreterFrame, f_code);
	AT("walker.frame_previous", _PyInterpreterFrame, previous);
	AT("walker.frame_position", _PyInterpreterFrame, prev_instr);
#else
	AT("walker.frame_code", PyFrameObject, f_code);
	AT("walker.frame_previous", PyFrameObject, f_back);
	AT("walker.frame_position", PyFrameObject, f_lasti);
#endif
#if PY_VERSION_HEX >= 0x030c0000
	AT("walker.frame_owner", _PyInterpreterFrame, owner);
#elif PY_VERSION_HEX >= 0x030b0000
	AT("walker.frame_owner", _PyInterpreterFrame, is_entry);
#else
	NONE("walker.frame_owner");
#endif
#if PY_VERSION_HEX >= 0x030e0000
	IS("walker.shim_owner", FRAME_OWNED_BY_INTERPRETER);
	IS("walker.code_tag_bits", Py_TAG_BITS | Py_INT_TAG);
#elif PY_VERSION_HEX >= 0x030c0000
	IS("walker.shim_owner", FRAME_OWNED_BY_CSTACK);
#else
	IS("walker.shim_owner", 0xff);
#endif
#if PY_VERSION_HEX >= 0x030c0000
	IS("walker.frame_size", offsetof(_PyInterpreterFrame, owner) + 1);
#elif PY_VERSION_HEX >= 0x030b0000
	IS("walker.frame_size", offsetof(_PyInterpreterFrame, is_entry) + 1);
#else
	IS("walker.frame_size", offsetof(PyFrameObject, f_lasti) + sizeof(int));
#endif
}

static void print_frame_locals(void)
{
#if PY_VERSION_HEX >= 0x030b0000
	AT("walker.frame_locals", _PyInterpreterFrame, localsplus);
	AT("code_local_names", PyCodeObject, co_localsplusnames);
	AT("code_local_kinds", PyCodeObject, co_localspluskinds);
	NONE("code_cell_names");
	NONE("code_free_names");
#else
	AT("walker.frame_locals", PyFrameObject, f_localsplus);
	AT("code_local_names", PyCodeObject, co_varnames);
	NONE("code_local_kinds");
	AT("code_cell_names", PyCodeObject, co_cellvars);
	AT("code_free_names", PyCodeObject, co_freevars);
#endif
	AT("cell_object", PyCellObject, ob_ref);
}

/* Where an instance has its attributes. */
static void print_instances(void)
{
#if PY_VERSION_HEX >= 0x030d0000
	printf("\t\t.instances = PYTHON_INSTANCES_INLINE,\n");
	AT("values_first", PyDictValues, values);
#elif PY_VERSION_HEX >= 0x030c0000
	printf("\t\t.instances = PYTHON_INSTANCES_TAGGED,\n");
	AT("values_first", PyDictValues, values);
#elif PY_VERSION_HEX >= 0x030b0000
	printf("\t\t.instances = PYTHON_INSTANCES_APART,\n");
	AT("values_first", PyDictValues, values);
#else
	printf("\t\t.instances = PYTHON_INSTANCES_DICT,\n");
	IS("values_first", 0);
#endif
	AT("type_name", PyTypeObject, tp_name);
	AT("type_basic_size", PyTypeObject, tp_basicsize);
	AT("type_flags", PyTypeObject, tp_flags);
	AT("type_dict_offset", PyTypeObject, tp_dictoffset);
	AT("type_dict", PyTypeObject, tp_dict);
	AT("type_mro", PyTypeObject, tp_mro);
	AT("type_qualname", PyHeapTypeObject, ht_qualname);
	AT("type_cached_keys", PyHeapTypeObject, ht_cached_keys);
	AT("member_definition", PyMemberDescrObject, d_member);
}

static void print_containers(void)
{
	AT("sequence_size", PyVarObject, ob_size);
	AT("tuple_items", PyTupleObject, ob_item);
	AT("list_items", PyListObject, ob_item);
	AT("dict_used", PyDictObject, ma_used);
	AT("dict_keys", PyDictObject, ma_keys);
	AT("dict_values", PyDictObject, ma_values);
#if PY_VERSION_HEX >= 0x030b0000
	NONE("keys_size");
	AT("keys_index_bytes", PyDictKeysObject, dk_log2_index_bytes);
	AT("keys_kind", PyDictKeysObject, dk_kind);
	AT("keys_entry_count", PyDictKeysObject, dk_nentries);
	AT("keys_indices", PyDictKeysObject, dk_indices);
#else
	AT("keys_size", dict_keys, dk_size);
	NONE("keys_index_bytes");
	NONE("keys_kind");
	AT("keys_entry_count", dict_keys, dk_nentries);
	AT("keys_indices", dict_keys, dk_indices);
#endif
#if PY_VERSION_HEX >= 0x030c0000
	IS("int_tag_shift", 3);
	AT("int_size", PyLongObject, long_value.lv_tag);
	AT("int_digits", PyLongObject, long_value.ob_digit);
#else
	IS("int_tag_shift", 0);
	AT("int_size", PyVarObject, ob_size);
	AT("int_digits", PyLongObject, ob_digit);
#endif
	AT("float_value", PyFloatObject, ob_fval);
#if PY_VERSION_HEX >= 0x030c0000
	AT("interpreter_modules", PyInterpreterState, imports.modules);
#else
	AT("interpreter_modules", PyInterpreterState, modules);
#endif
}

static void print_objects(void)
{
	AT("runtime_interpreters", _PyRuntimeState, interpreters.head);
	AT("object_type", PyObject, ob_type);
	AT("code_flags", PyCodeObject, co_flags);
	AT("code_first_line", PyCodeObject, co_firstlineno);
	AT("code_name", PyCodeObject, co_name);
	AT("code_file", PyCodeObject, co_filename);
#if PY_VERSION_HEX >= 0x030b0000
	AT("code_qualname", PyCodeObject, co_qualname);
	AT("code_lines", PyCodeObject, co_linetable);
	printf("\t\t.line_format = PYTHON_LINES_LOCATIONS,\n");
#elif PY_VERSION_HEX >= 0x030a0000
	NONE("code_qualname");
	AT("code_lines", PyCodeObject, co_linetable);
	printf("\t\t.line_format = PYTHON_LINES_RANGES,\n");
#else
	NONE("code_qualname");
	AT("code_lines", PyCodeObject, co_lnotab);
	printf("\t\t.line_format = PYTHON_LINES_LNOTAB,\n");
#endif
#if PY_VERSION_HEX >= 0x030c0000
	IS("code_more", offsetof(PyCodeObject, co_version) & ~(size_t)7);
#else
	NONE("code_more");
#endif
	AT("text_length", PyASCIIObject, length);
	AT("text_state", PyASCIIObject, state);
	IS("text_kind_bits", FROM_STATE(kind));
	IS("text_compact_bit", FROM_STATE(compact));
	IS("text_ascii_bit", FROM_STATE(ascii));
	IS("text_ascii_data", sizeof(PyASCIIObject));
	IS("text_data", sizeof(PyCompactUnicodeObject));
	AT("bytes_size", PyBytesObject, ob_base.ob_size);
	AT("bytes_data", PyBytesObject, ob_sval);
}

#if PY_VERSION_HEX >= 0x030d0000
#define DEBUG(field) AT(#field, struct _Py_DebugOffsets, field)
/* Inside the nested structures the names are CPython's, here '.' becomes '_'. */
#define DEBUG2(group, field) AT(#group "_" #field, struct _Py_DebugOffsets, group.field)

static void print_debug_offsets(void)
{
	printf("\t\t.python = 0x%04x,\n", PY_VERSION_HEX >> 16);
	IS("size", sizeof(struct _Py_DebugOffsets));
	DEBUG(version);
	DEBUG(free_threaded);
	DEBUG2(runtime_state, size);
	DEBUG2(runtime_state, interpreters_head);
	DEBUG2(interpreter_state, size);
	DEBUG2(interpreter_state, imports_modules);
	DEBUG2(thread_state, size);
	DEBUG2(thread_state, current_frame);
	DEBUG2(thread_state, thread_id);
	DEBUG2(interpreter_frame, size);
	DEBUG2(interpreter_frame, previous);
	DEBUG2(interpreter_frame, executable);
	DEBUG2(interpreter_frame, instr_ptr);
	DEBUG2(interpreter_frame, localsplus);
	DEBUG2(interpreter_frame, owner);
	DEBUG2(code_object, size);
	DEBUG2(code_object, filename);
	DEBUG2(code_object, name);
	DEBUG2(code_object, qualname);
	DEBUG2(code_object, linetable);
	DEBUG2(code_object, firstlineno);
	DEBUG2(code_object, co_code_adaptive);
	DEBUG2(pyobject, ob_type);
	DEBUG2(bytes_object, size);
	DEBUG2(bytes_object, ob_size);
	DEBUG2(bytes_object, ob_sval);
	DEBUG2(unicode_object, size);
	DEBUG2(unicode_object, state);
	DEBUG2(unicode_object, length);
	DEBUG2(unicode_object, asciiobject_size);
}
#endif

int main(int argc, char **argv)
{
	(void)argv;
	if (argc == 1) {
		print_walker();
		print_objects();
		print_frame_locals();
		print_instances();
		print_containers();
	} else {
#if PY_VERSION_HEX >= 0x030d0000
		print_debug_offsets();
#endif
	}
	return 0;
}
END

[ $# -gt 0 ] || {
	echo "usage: ${0##*/} INCLUDE_DIRECTORY|PYTHON-CONFIG..." >&2
	exit 2
}

# A row per minor version: $work/XX.row and, from 3.13 on, $work/XX.debug.
for source; do
	if [ -d "$source" ]; then
		# Debian's pyconfig.h includes <ARCHITECTURE/pythonX.Y/pyconfig.h> of the directory above.
		flags="-I$source -I$source/internal -I$source/.."
	else
		flags=$("$source" --includes)
		for flag in $flags; do
			flags="$flags $flag/internal"
		done
	fi
	# shellcheck disable=SC2086 # flags are words
	"$cc" -w -D_GNU_SOURCE $flags -o "$work/offsets" "$work/offsets.c"
	# shellcheck disable=SC2086
	release=$(printf '#include <patchlevel.h>\nPY_MINOR_VERSION PY_VERSION Py_GIL_DISABLED\n' |
		"$cc" -w -E -P $flags -include pyconfig.h -x c - | tail -1)
	minor=$(echo "$release" | awk '{ printf "%02d", $1 }')
	case $release in
	*Py_GIL_DISABLED) ;;
	*)
		echo "$source: a free-threaded build, which has another layout" >&2
		exit 1
		;;
	esac
	"$work/offsets" > "$work/new.row"
	"$work/offsets" debug > "$work/new.debug"
	for part in row debug; do
		if [ -e "$work/$minor.$part" ]; then
			diff "$work/$minor.$part" "$work/new.$part" >&2 || {
				echo "$source: patch releases of 3.$minor differ" >&2
				exit 1
			}
		fi
		mv "$work/new.$part" "$work/$minor.$part"
	done
	echo "$release" | awk '{ gsub("\"", "", $2); print $2 }' >> "$work/releases"
done

machine=$("$cc" -dumpmachine)
cat <<END
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generated by scripts/gen-python-offsets.sh from the headers of CPython
 * $(sort -V "$work/releases" | paste -sd' '); do not edit:
 *   scripts/gen-python-offsets.sh INCLUDE_DIRECTORY|PYTHON-CONFIG... > user/python/offsets.inc
 * Each table ends with a row of zeros: it is all that other architectures have. */
static const struct python_layout layouts[] = {
#ifdef __${machine%%-*}__
END
for row in "$work"/??.row; do
	printf '\t{\n%s\n\t},\n' "$(cat "$row")"
done
cat <<END
#endif
	{.walker.version = 0},
};

/* Where _Py_DebugOffsets keeps each of its fields. */
static const struct debug_fields debug_fields[] = {
#ifdef __${machine%%-*}__
END
for row in "$work"/??.debug; do
	[ ! -s "$row" ] || printf '\t{\n%s\n\t},\n' "$(cat "$row")"
done
cat <<END
#endif
	{.python = 0},
};
END
