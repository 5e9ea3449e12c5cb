// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/uring.h"

#include <stdint.h>
#include <stdio.h>

#include <bpf/btf.h>

/* The function that a tracepoint calls; its first parameter is the program's own. NULL: there is no
 * such tracepoint. */
static const struct btf_type *prototype(const struct btf *types, const char *tracepoint)
{
	const struct btf_type *type;
	char name[64];
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(types, name, BTF_KIND_TYPEDEF);
	type = id > 0 ? btf__type_by_id(types, (uint32_t)id) : NULL;
	type = type ? btf__type_by_id(types, type->type) : NULL;
	if (!type || !btf_is_ptr(type))
		return NULL;
	type = btf__type_by_id(types, type->type);
	return type && btf_is_func_proto(type) ? type : NULL;
}

static bool is_pointer(const struct btf *types, const struct btf_type *function,
		       unsigned int number)
{
	const struct btf_type *type;

	if (number >= btf_vlen(function))
		return false;
	type = btf__type_by_id(types, btf_params(function)[number].type);
	return type && btf_is_ptr(type);
}

struct uring_points uring__find(void)
{
	struct uring_points points = {0};
	struct btf *types = btf__load_vmlinux_btf();
	const struct btf_type *complete, *submit;

	if (!types)
		return points;
	complete = prototype(types, "io_uring_complete");
	/* (program's own, ring, request, …); before 5.19 there was no request. */
	points.complete = complete && is_pointer(types, complete, 2);
	points.entry = points.complete && is_pointer(types, complete, 3);
	submit = prototype(types, "io_uring_submit_req");
	if (submit) {
		points.submit = "io_uring_submit_req";
	} else {
		submit = prototype(types, "io_uring_submit_sqe");
		/* The request came first since 6.0, and is followed by no pointer. */
		if (submit && btf_vlen(submit) == 3 && is_pointer(types, submit, 1))
			points.submit = "io_uring_submit_sqe";
	}
	points.faults =
		prototype(types, "mm_filemap_fault") && prototype(types, "mm_filemap_map_pages");
	btf__free(types);
	return points;
}
