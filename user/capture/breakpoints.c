// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/breakpoints.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

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
