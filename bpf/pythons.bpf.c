// SPDX-License-Identifier: GPL-2.0-or-later
/* The interpreter of a process, from the moment on that its code is mapped, where the recorder has
 * met the file before (known_pythons). It tells the same a little later, and with the space that
 * the process's code objects get; until then there is none, and quanta are known by names. */
#include "compat.bpf.h"
#include "files.bpf.h"
#include "pythons.bpf.h"
#include "remote.bpf.h"

#define PAGE_BITS 12

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_KNOWN_PYTHONS);
	__type(key, struct ps_python_file);
	__type(value, struct ps_known_python);
} known_pythons SEC(".maps");

/* Fields that only this file reads. */
struct mm_struct___program {
	unsigned long start_code;
	struct file *exe_file;
} __attribute__((preserve_access_index));

static __always_inline const struct ps_known_python *find(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct ps_python_file key = {
		.inode = BPF_CORE_READ(inode, i_ino),
		.size = file_size(file),
		.device = BPF_CORE_READ(inode, i_sb, s_dev),
	};

	return bpf_map_lookup_elem(&known_pythons, &key);
}

static __always_inline void tell(__u32 tgid, const struct ps_known_python *python, __u64 start)
{
	const struct ps_py_process process = {.runtime = start + python->runtime,
					      .offsets = python->offsets};

	bpf_map_update_elem(&py_processes, &tgid, &process, BPF_NOEXIST);
}

__noinline int pythons__at_exec(__u32 tgid)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct___program *mm = (void *)BPF_CORE_READ(task, mm);
	const struct ps_known_python *python;

	python = find(BPF_CORE_READ(mm, exe_file));
	if (python && python->is_program)
		tell(tgid, python, BPF_CORE_READ(mm, start_code) >> PAGE_BITS << PAGE_BITS);
	return 0;
}

__noinline int pythons__at_mmap(__u64 descriptor, __u64 address, __u64 offset)
{
	struct file *file = file_of(compat__current(), descriptor);
	const struct ps_known_python *python = file ? find(file) : NULL;

	if (python && !python->is_program && python->offset == offset)
		tell(bpf_get_current_pid_tgid() >> 32, python, address);
	return 0;
}
