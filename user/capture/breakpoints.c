// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/breakpoints.h"

#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/strings.h"
#include "proc/mappings.h"

#define OF_RETURN 1 /* BPF_F_UPROBE_MULTI_RETURN */

/* The part of union bpf_attr that makes such a link; headers may be older. */
struct attributes {
	uint32_t program, target, type, flags;
	uint64_t path, offsets, counters, cookies; /* addresses */
	uint32_t count, multi_flags, pid, pad;
};

int breakpoints__link(int program, bool at_return, pid_t pid, const char *path,
		      const uint64_t *offsets, size_t count)
{
	const struct attributes attributes = {
		.program = (uint32_t)program,
		.type = BREAKPOINTS_TYPE,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.count = (uint32_t)count,
		.multi_flags = at_return ? OF_RETURN : 0,
		.pid = (uint32_t)pid,
	};
	long fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes));

	return fd < 0 ? -errno : (int)fd;
}

/* --- what the kernel has */

static __attribute__((noinline, noclone, used)) void hit_target(void)
{
	__asm__ volatile("" ::: "memory");
}

static void *hit(void *nothing)
{
	hit_target();
	return nothing;
}

/* Counts in the only element of an array. */
static int load_counting(int map)
{
	const struct bpf_insn instructions[] = {
		{.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .off = -4},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -4},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = map},
		{0}, /* its second half */
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .off = 2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_0,
		 .src_reg = BPF_REG_1,
		 .imm = BPF_ADD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = (enum bpf_attach_type)BREAKPOINTS_TYPE);
	int program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", instructions,
				    sizeof(instructions) / sizeof(instructions[0]), &options);

	return program < 0 ? -errno : program;
}

bool breakpoints__has_links(void)
{
	_cleanup_close_ int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(uint32_t),
						 sizeof(uint64_t), 1, NULL);
	_cleanup_close_ int program = map < 0 ? -1 : load_counting(map);
	_cleanup_close_ int link = -1;
	const uint32_t zero = 0;
	uint64_t offset, hits = 0;
	pthread_t thread;

	if (program < 0 || breakpoints__offset_of((uintptr_t)&hit_target, &offset))
		return false;
	link = breakpoints__link(program, false, getpid(), "/proc/self/exe", &offset, 1);
	if (link < 0 || pthread_create(&thread, NULL, hit, NULL))
		return false;
	pthread_join(thread, NULL);
	return !bpf_map_lookup_elem(map, &zero, &hits) && hits;
}

int breakpoints__offset_of(uint64_t address, uint64_t *ret_offset)
{
	struct string_pool *pool = string_pool__new();
	struct mapping_set *set = NULL;
	const struct mapping *mapping = NULL;
	int err = pool ? mapping_set__read(getpid(), pool, &set) : -ENOMEM;

	if (!err)
		mapping = mapping_set__find(set, address);
	if (mapping)
		*ret_offset = mapping->offset + (address - mapping->start);
	else
		err = err ?: -ENOENT;
	mapping_set__unref(set);
	string_pool__free(pool);
	return err;
}
