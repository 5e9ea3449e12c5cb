/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the walker must know of a CPython build and of a process that runs it. Shared by BPF, the
 * recorder and the walker compiled for the host. Wire format: fixed widths, no pointers. */
#ifndef PIPESCOPE_PYTHON_H
#define PIPESCOPE_PYTHON_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define PS_PY_NO_FIELD 0xffff /* this build has no such field */

#define PS_PY_NUMBERED 0x030c /* the first version whose code objects have numbers */
/* Up to 3.11: of a code object's flags, that it is a function; and in a str, from the text
 * backwards, its length and hash. */
#define PS_PY_OPTIMIZED	  1
#define PS_PY_TEXT_LENGTH 32
#define PS_PY_TEXT_HASH	  24

/* How the position inside a code object is found. */
enum ps_py_position {
	PS_PY_LASTI_BYTES = 0, /* 3.8, 3.9: f_lasti, an int in bytes */
	PS_PY_LASTI_UNITS = 1, /* 3.10: f_lasti, an int in code units of 2 bytes */
	PS_PY_INSTR_POINTER = 2 /* 3.11+: an address inside the code object's bytecode */
};

/* Offsets in bytes of the fields that the BPF walker reads. Source: for <= 3.12
 * scripts/gen-python-offsets.sh, for 3.13+ the interpreter's own _Py_DebugOffsets. */
struct ps_py_offsets {
	__u16 version; /* (major << 8) | minor: 0x030b is 3.11 */
	__u8 position; /* enum ps_py_position */
	__u8 shim_owner; /* value of frame.owner that marks an entry shim; 0xff: there is none, and
			  * a frame_owner that is not 0 marks the first frame of a native one */

	__u16 runtime_tss_key; /* _PyRuntimeState: gilstate.autoTSSkey._key, an unsigned int;
				* _is_initialized is the int in front of it */
	__u16 tstate_thread_id; /* PyThreadState.thread_id: pthread_self(), the fs base */
	__u16 tstate_frame; /* <= 3.10 .frame, 3.11/3.12 .cframe, 3.13+ .current_frame */
	__u16 cframe_frame; /* 3.11/3.12 _PyCFrame.current_frame, else PS_PY_NO_FIELD */

	__u16 frame_code; /* f_code or f_executable */
	__u16 frame_previous; /* f_back or previous */
	__u16 frame_position; /* f_lasti, prev_instr or instr_ptr */
	__u16 frame_owner; /* one byte: 3.12+ owner, 3.11 is_entry; PS_PY_NO_FIELD where there is
			    * none, as each call has a native frame of its own */
	__u16 frame_size; /* bytes from the frame's start that hold all of the above; <= 128 */
	__u16 code_bytecode; /* PyCodeObject.co_code_adaptive (3.11+), else PS_PY_NO_FIELD */
	__u8 code_tag_bits; /* low bits of frame_code to clear (3.14: tagged references) */
	__u8 check_more; /* place of 8 bytes like check_name, which see */
	/* What tells one code object from another at the same address: one read of check_size
	 * bytes (<= 128; 0: none) at check_start, and in it the name, file and line table
	 * (pointers), the first line (an int), and check_more. Where objects are made and freed in
	 * the same order again and again, all pointers soon come again: so 3.12+ have there the
	 * number that CPython gives each code object, older ones the flags, and what they say of
	 * the texts is read, too: python__content(). */
	__u16 check_start, check_size;
	__u16 check_name, check_file, check_lines, check_first_line;
	__u16 frame_locals; /* the first of the frame's local variables, pointers; tagged like code
			     */
	/* To tell values: of a type, str and int. */
	__u16 type_flags, text_data, int_size, int_tag_shift;
};
_Static_assert(sizeof(struct ps_py_offsets) == 48, "wire format");

/* 24 bits that tell code objects apart, computed where a frame is met and again where its name is
 * read: so a name that was read too late is noticed. Never 0. */
static inline __u32 ps_py_code_check(__u64 name, __u64 file, __u64 lines, __u32 first_line,
				     __u64 more)
{
	__u64 hash = (name ^ (__u64)first_line << 48) * 0x9e3779b97f4a7c15ULL;

	hash = ((hash ^ hash >> 32) ^ file) * 0xbf58476d1ce4e5b9ULL;
	hash = ((hash ^ hash >> 32) ^ lines) * 0x94d049bb133111ebULL;
	hash = ((hash ^ hash >> 32) ^ more) * 0x9e3779b97f4a7c15ULL;
	hash >>= 40;
	return hash ? hash : 1;
}

/* One per process that maps a CPython runtime; key: tgid. */
struct ps_py_process {
	__u64 runtime; /* address of _PyRuntime in the process */
	__u32 offsets; /* index into the map of struct ps_py_offsets */
	__u32 space; /* see ps_frame_key */
};
_Static_assert(sizeof(struct ps_py_process) == 16, "wire format");

/* Files that hold a CPython runtime, as far as the recorder has met them: so BPF knows the
 * interpreter of a process from the moment that it maps one, however late the recorder is. */
#define PS_KNOWN_PYTHONS 256

struct ps_python_file {
	__u64 inode;
	__u64 size; /* bytes */
	__u32 device; /* as the kernel has it */
	__u32 pad;
};

struct ps_known_python {
	__u64 runtime; /* of _PyRuntime, from the start of the file's first executable mapping on */
	__u64 offset; /* in the file, of that mapping */
	__u32 offsets; /* see ps_py_process */
	__u32 is_program; /* 1: the file is the process's program; 0: a library */
};

#endif
