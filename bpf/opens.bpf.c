// SPDX-License-Identifier: GPL-2.0-or-later
/* How long files are open, where it is no open() and no close() that says so. What is counted goes
 * to the sums of close(), to whoever had the last descriptor.
 *
 * Nobody tells of descriptors that an exec closes, or io_uring, or that are on their way through a
 * socket: the entry stays, until the kernel uses the memory of the struct file for another one. */
#include "opens.bpf.h"
#include "io.bpf.h"
#include "writers.bpf.h"

#define OPENS_WORD 64 /* descriptors in a word of the kernel's bitmap */

/* The recorder looks twice: first for who has opened them, then for who else has them. */
bool opens_of_any = false;

struct fdtable___bits {
	unsigned long *open_fds;
} __attribute__((preserve_access_index));

/* As the kernel gives it. */
struct iter_task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 descriptor;
	struct file *file;
};

static __always_inline bool is_file(struct inode *inode)
{
	__u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;

	return type == S_IFREG || type == S_IFDIR;
}

static __always_inline void describe(struct file *file, struct inode *inode, __u64 epoch,
				     struct ps_io_key *ret_key)
{
	ret_key->epoch = epoch;
	ret_key->file = file_id(inode);
	ret_key->device = BPF_CORE_READ(inode, i_sb, s_dev);
	ret_key->op = PS_IO_CLOSE;
	ret_key->kind = PS_IO_FILE;
}

static __always_inline void charge(struct file *file, struct inode *inode, __u64 opened_ns)
{
	struct ps_io_sum more = {.closed = 1};
	struct ps_io_key key = {};

	more.open_ns = more.longest_ns = bpf_ktime_get_ns() - opened_ns;
	describe(file, inode, epochs__recorded(bpf_get_current_pid_tgid() >> 32), &key);
	if (key.epoch)
		io__add(&key, &more, file_directory(file), 0);
}

__noinline int opens_duplicated(__u64 descriptor)
{
	struct file *file = file_of(compat__current(), descriptor);
	struct ps_open *open;

	if (!file)
		return 0;
	open = opens__find((__u64)file, (__u64)BPF_CORE_READ(file, f_inode));
	if (open && open->tgid == bpf_get_current_pid_tgid() >> 32)
		open->descriptors++;
	return 0;
}

__noinline int opens_mapped(__u64 descriptor)
{
	struct file *file = file_of(compat__current(), descriptor);
	struct ps_open *open;

	if (!file)
		return 0;
	open = opens__find((__u64)file, (__u64)BPF_CORE_READ(file, f_inode));
	if (open)
		open->mapped = 1;
	return 0;
}

__noinline int opens_replaced(__u64 from, __u64 to)
{
	struct task_struct *task = compat__current();
	struct file *file = file_of(task, to);
	struct inode *inode;
	__u64 opened_ns;

	if (!file || from == to || !file_of(task, from))
		return 0;
	if (!epochs__recorded(bpf_get_current_pid_tgid() >> 32))
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	if (!is_file(inode))
		return 0;
	writers_closing((__u64)file);
	opened_ns = opens__close(file, (__u64)inode);
	if (opened_ns)
		charge(file, inode, opened_ns);
	return 0;
}

/* One descriptor of the ending process. When all references to a file are descriptors that end with
 * it, or the last ones that are known of a mapped one, it is closed. */
__noinline int opens_end_step(__u32 descriptor)
{
	struct file *file = file_of(compat__current(), descriptor);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct inode *inode;
	struct ps_open *open;

	if (!file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	open = opens__find((__u64)file, (__u64)inode);
	if (!open)
		return 0;
	if (open->leaving_tgid != tgid) {
		open->leaving_tgid = tgid;
		open->leaving = 0;
	}
	open->leaving++;
	if (file_references(file) > open->leaving &&
	    !(open->mapped && open->tgid == tgid && open->leaving >= open->descriptors))
		return 0;
	open->file = 0;
	charge(file, inode, open->opened_ns);
	return 0;
}

/* So many descriptors as a word of the bitmap has. 1: there are no more. */
__noinline int opens_end_word(__u32 word)
{
	struct fdtable *table = BPF_CORE_READ(compat__current(), files, fdt);
	unsigned long *words = BPF_CORE_READ((struct fdtable___bits *)table, open_fds);
	__u64 bits = 0;

	if (word * OPENS_WORD >= BPF_CORE_READ(table, max_fds))
		return 1;
	bpf_probe_read_kernel(&bits, sizeof(bits), &words[word]);
	for (__u32 i = 0; i < OPENS_WORD && bits; i++, bits >>= 1)
		if (bits & 1)
			opens_end_step(word * OPENS_WORD + i);
	return 0;
}

__noinline int opens_end(void)
{
	for (__u32 i = 0; i < PS_TORN_DESCRIPTORS / OPENS_WORD; i++)
		if (opens_end_word(i))
			break;
	return 0;
}

/* What is open still: each file once. */
SEC("?iter/task_file")
int opens_dump(struct iter_task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct ps_still_open still = {};
	struct ps_open *open;
	struct inode *inode;
	struct file *file;
	__u32 tgid;
	__u64 epoch;

	if (!task || !ctx->file)
		return 0;
	/* By way of a read: to the verifier an address is no number. */
	file = file_of(task, ctx->descriptor);
	if (!file)
		return 0;
	tgid = task->tgid;
	epoch = epochs__recorded(tgid);
	inode = BPF_CORE_READ(file, f_inode);
	open = epoch ? opens__find((__u64)file, (__u64)inode) : NULL;
	if (!open || open->told || (open->tgid != tgid && !opens_of_any))
		return 0;
	open->told = 1;
	still.ns = bpf_ktime_get_ns() - open->opened_ns;
	describe(file, inode, epoch, &still.key);
	bpf_seq_write(ctx->meta->seq, &still, sizeof(still));
	return 0;
}
