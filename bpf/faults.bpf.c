// SPDX-License-Identifier: GPL-2.0-or-later
/* Page faults on mapped files, where the kernel tells of them (Linux 6.11). One fault may be told
 * twice, when it maps what is around first, or is tried again once the page is read: the kernel
 * counts a fault when it is done, so that its number does not change meanwhile.
 *
 * Those that had to wait for the page to be read (major ones) are an event of perf's, one for each
 * from Linux 6.1 on. It has the address; the mapping there tells the file. */
#include "compat.bpf.h"
#include "files.bpf.h"
#include "io.bpf.h"

struct task_struct___faults {
	unsigned long min_flt, maj_flt;
} __attribute__((preserve_access_index));
struct address_space___any {
	struct inode *host;
} __attribute__((preserve_access_index));

static __always_inline int count_fault(__u64 address)
{
	struct task_struct *task = compat__current();
	struct address_space___any *mapping = (void *)address;
	struct thread_state *state = thread__find(task);
	struct task_struct___faults *faults = (void *)task;
	__u64 number;

	if (!state)
		return 0;
	number = 1 + BPF_CORE_READ(faults, min_flt) + BPF_CORE_READ(faults, maj_flt);
	if (state->fault_number == number && state->fault_mapping == address)
		return 0;
	state->fault_number = number;
	state->fault_mapping = address;
	io__count_fault((__u64)BPF_CORE_READ(mapping, host), PS_IO_FAULT);
	return 0;
}

SEC("?raw_tp/mm_filemap_fault")
int faults_fault(struct bpf_raw_tracepoint_args *ctx)
{
	return count_fault(ctx->args[0]);
}

SEC("?raw_tp/mm_filemap_map_pages")
int faults_map_pages(struct bpf_raw_tracepoint_args *ctx)
{
	return count_fault(ctx->args[0]);
}

/* --- major faults */

struct vm_area_struct___any {
	struct file *vm_file;
} __attribute__((preserve_access_index));
static long note_file(struct task_struct *task, struct vm_area_struct___any *area, void *ret_file)
{
	*(__u64 *)ret_file = (__u64)area->vm_file;
	return 0;
}

SEC("?perf_event")
int faults_major(struct bpf_perf_event_data *ctx)
{
	struct inode *inode;
	__u64 file = 0;

	bpf_find_vma(bpf_get_current_task_btf(), ctx->addr, (void *)note_file, &file, 0);
	inode = file ? BPF_CORE_READ((struct file *)file, f_inode) : NULL;
	/* Without a file it came back from swap. */
	if (inode)
		io__count_fault((__u64)inode, PS_IO_MAJOR_FAULT);
	return 0;
}
