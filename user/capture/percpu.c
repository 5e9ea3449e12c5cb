// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/percpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "waits.h"

#define DEEPEST 8 /* unnamed structures in each other */

/* Offset in bytes of a member of a structure, also inside unnamed ones; -1: there is none. */
static int64_t find_member(const struct btf *btf, uint32_t type, const char *name, int depth)
{
	const struct btf_type *outer = btf__type_by_id(btf, type);
	const struct btf_member *member;

	if (!outer || !btf_is_composite(outer) || depth > DEEPEST)
		return -1;
	member = btf_members(outer);
	for (uint32_t i = 0; i < btf_vlen(outer); i++, member++) {
		const char *text = btf__name_by_offset(btf, member->name_off);
		int64_t offset = btf_member_bit_offset(outer, i) / 8, inner;

		if (text && !strcmp(text, name))
			return offset;
		if (text && *text)
			continue;
		inner = find_member(btf, member->type, name, depth + 1);
		if (inner >= 0)
			return offset + inner;
	}
	return -1;
}

/* Linux 6.2 (64701838bf04) moved preempt_count into pcpu_hot, 6.15 (46e8fff6d45f) back. */
static int64_t find_distance(const struct btf *btf, const struct btf_type *section)
{
	const struct btf_var_secinfo *variable = btf_var_secinfos(section);
	int64_t queue = -1, count = -1;

	for (uint32_t i = 0; i < btf_vlen(section); i++, variable++) {
		const struct btf_type *type = btf__type_by_id(btf, variable->type);
		const char *name = type ? btf__name_by_offset(btf, type->name_off) : NULL;

		if (!name)
			continue;
		if (!strcmp(name, "runqueues"))
			queue = variable->offset;
		if (!strcmp(name, "__preempt_count"))
			count = variable->offset;
		if (!strcmp(name, "pcpu_hot")) {
			count = find_member(btf, type->type, "preempt_count", 0);
			count = count < 0 ? count : count + variable->offset;
		}
	}
	return queue < 0 || count < 0 ? 0 : count - queue;
}

/* BTF made by an older pahole has no variables; those kernels have no pcpu_hot yet. */
static int64_t find_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long long address, queue = 0, count = 0;
	char name[64], *line = NULL;
	size_t size = 0;

	if (!file)
		return 0;
	while ((!queue || !count) && getline(&line, &size, file) > 0) {
		if (sscanf(line, "%llx %*c %63s", &address, name) != 2)
			continue;
		if (!strcmp(name, "runqueues"))
			queue = address;
		if (!strcmp(name, "__preempt_count"))
			count = address;
	}
	free(line);
	fclose(file);
	return queue && count ? (int64_t)(count - queue) : 0;
}

int64_t percpu__preempt_count(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int64_t distance = 0;
	int32_t section;

	if (!btf)
		return 0;
	section = btf__find_by_name_kind(btf, ".data..percpu", BTF_KIND_DATASEC);
	if (section > 0)
		distance = find_distance(btf, btf__type_by_id(btf, (uint32_t)section));
	btf__free(btf);
	return distance ?: find_symbols();
}

uint32_t percpu__interrupt_bits(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool counts = btf && btf__find_by_name_kind(btf, "local_interrupt_disable_state",
						    BTF_KIND_VAR) > 0;

	btf__free(btf);
	return counts ? PS_INTERRUPT_BITS_COUNTED : PS_INTERRUPT_BITS;
}

bool percpu__preemptible_calls(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool are = btf &&
		   btf__find_by_name_kind(btf, "class_srcu_fast_notrace_t", BTF_KIND_TYPEDEF) > 0;

	btf__free(btf);
	return are;
}

bool percpu__has_member(const char *structure, const char *member)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int32_t type;
	bool has;

	if (!btf)
		return false;
	type = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);
	has = type > 0 && find_member(btf, (uint32_t)type, member, 0) >= 0;
	btf__free(btf);
	return has;
}
