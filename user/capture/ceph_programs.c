// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/ceph_programs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "pipescope.skel.h"

#define TRACEPOINT  "ceph_mdsc_complete_request"
#define KPROBE_TYPE "/sys/bus/event_source/devices/kprobe/type"
/* Of the kernel's own tests of fentry: it never runs. */
#define NEVER_RUNS "bpf_fentry_test1"

/* When a program is used. */
enum use {
	USE_ALWAYS, /* without it nothing can be counted */
	USE_IF_THERE, /* without its function something is missing, or is not there to be counted */
	USE_TRACEPOINT, /* if the kernel has the tracepoint */
	USE_NO_TRACEPOINT /* if it has not */
};

/* In the order in which they are attached: ends first, and last what notes a request. */
struct choice {
	const char *program, *function;
	enum use use;
};

static const struct choice typed[] = {
	{"ceph_mds_complete", NULL, USE_TRACEPOINT},
	{"ceph_mds_done", "ceph_mdsc_do_request", USE_NO_TRACEPOINT},
	{"ceph_mds_created", "ceph_async_create_cb", USE_NO_TRACEPOINT},
	{"ceph_mds_unlinked", "ceph_async_unlink_cb", USE_NO_TRACEPOINT},
	{"ceph_mds_release", "ceph_mdsc_release_request", USE_IF_THERE},
	{"ceph_osd_done", "__complete_request", USE_ALWAYS},
	{"ceph_caps_inode_end", "__ceph_get_caps", USE_IF_THERE},
	{"ceph_caps_end", "ceph_get_caps", USE_IF_THERE},
	{"ceph_read_end", "ceph_read_iter", USE_IF_THERE},
	{"ceph_writeback_end", "ceph_writepages_start", USE_IF_THERE},
	{"ceph_caps_inode_begin", "__ceph_get_caps", USE_IF_THERE},
	{"ceph_caps_begin", "ceph_get_caps", USE_IF_THERE},
	{"ceph_read_begin", "ceph_read_iter", USE_IF_THERE},
	{"ceph_writeback_begin", "ceph_writepages_start", USE_IF_THERE},
	{"ceph_mds_submit", "ceph_mdsc_submit_request", USE_ALWAYS},
	{"ceph_osd_start", "ceph_osdc_start_request", USE_ALWAYS},
};

static const struct choice probes[] = {
	{"ceph_mds_answer_k", NULL, USE_IF_THERE},
	{"ceph_mds_fill_k", NULL, USE_IF_THERE},
	{"ceph_mds_done_k", NULL, USE_ALWAYS},
	{"ceph_mds_created_k", NULL, USE_IF_THERE},
	{"ceph_mds_unlinked_k", NULL, USE_IF_THERE},
	{"ceph_osd_done_k", NULL, USE_ALWAYS},
	{"ceph_caps_end_k", NULL, USE_IF_THERE},
	{"ceph_read_end_k", NULL, USE_IF_THERE},
	{"ceph_writeback_end_k", NULL, USE_IF_THERE},
	{"ceph_caps_begin_k", NULL, USE_IF_THERE},
	{"ceph_read_begin_k", NULL, USE_IF_THERE},
	{"ceph_writeback_begin_k", NULL, USE_IF_THERE},
	{"ceph_mds_create_k", NULL, USE_ALWAYS},
	{"ceph_mds_made_k", NULL, USE_ALWAYS},
	{"ceph_mds_do_k", NULL, USE_ALWAYS},
	{"ceph_mds_submit_k", NULL, USE_ALWAYS},
	{"ceph_osd_create_k", NULL, USE_ALWAYS},
	{"ceph_osd_made_k", NULL, USE_ALWAYS},
	{"ceph_osd_update_k", NULL, USE_IF_THERE},
	{"ceph_osd_start_k", NULL, USE_ALWAYS},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- what the kernel has */

/* The types of the client: of its modules, or of a kernel that it is built into. */
struct client_types {
	struct btf *kernel, *modules[2];
};

static void client_types__load(struct client_types *types)
{
	static const char *const names[] = {"ceph", "libceph"};

	*types = (struct client_types){.kernel = btf__load_vmlinux_btf()};
	for (size_t i = 0; types->kernel && i < COUNT(names); i++)
		types->modules[i] = btf__load_module_btf(names[i], types->kernel);
}

static void client_types__clear(struct client_types *types)
{
	for (size_t i = 0; i < COUNT(types->modules); i++)
		btf__free(types->modules[i]);
	btf__free(types->kernel);
}

static bool client_types__have(const struct client_types *types, const char *name, uint32_t kind)
{
	/* Those of a module come with the kernel's. */
	for (size_t i = 0; i < COUNT(types->modules); i++)
		if (types->modules[i] && btf__find_by_name_kind(types->modules[i], name, kind) > 0)
			return true;
	return types->kernel && btf__find_by_name_kind(types->kernel, name, kind) > 0;
}

static bool has_tracepoint(const struct client_types *types)
{
	return client_types__have(types, "btf_trace_" TRACEPOINT, BTF_KIND_TYPEDEF);
}

static bool is_used(const struct choice *choice, const struct client_types *types, bool tracepoint)
{
	bool there = choice->function && client_types__have(types, choice->function, BTF_KIND_FUNC);

	switch (choice->use) {
	case USE_TRACEPOINT:
		return tracepoint;
	case USE_NO_TRACEPOINT:
		return !tracepoint && there;
	case USE_IF_THERE:
		/* The one with an inode is below the one with a file: not both. */
		if (!strcmp(choice->function, "ceph_get_caps"))
			return there &&
			       !client_types__have(types, "__ceph_get_caps", BTF_KIND_FUNC);
		return there;
	default:
		return true;
	}
}

/* --- loading */

/* Maps of the object come in one order. Those of this source are its own. */
static int share_maps(struct pipescope_bpf *main, struct pipescope_bpf *bpf)
{
	struct bpf_map *map = NULL, *known = NULL;
	int err = 0;

	while ((map = bpf_object__next_map(bpf->obj, map)) && !err) {
		known = bpf_object__next_map(main->obj, known);
		if (!known)
			return -EINVAL;
		if (!strncmp(bpf_map__name(map), "ceph_", 5))
			continue;
		err = bpf_map__fd(known) < 0 ? bpf_map__set_autocreate(map, false)
					     : bpf_map__reuse_fd(map, bpf_map__fd(known));
	}
	return err;
}

static struct pipescope_bpf *open_beside(struct pipescope_bpf *main)
{
	struct pipescope_bpf *bpf = pipescope_bpf__open();
	struct bpf_program *program;

	if (!bpf)
		return NULL;
	bpf_object__for_each_program(program, bpf->obj) bpf_program__set_autoload(program, false);
	if (share_maps(main, bpf)) {
		pipescope_bpf__destroy(bpf);
		return NULL;
	}
	return bpf;
}

static struct bpf_program *find(struct pipescope_bpf *bpf, const char *name)
{
	return bpf_object__find_program_by_name(bpf->obj, name);
}

/* Opens and chooses those on types; -ENOTSUP: there are no types. */
static int open_typed(struct pipescope_bpf *main, struct ceph_programs *ret_programs)
{
	struct client_types types;
	struct pipescope_bpf *bpf = NULL;
	bool tracepoint;
	int err = 0;

	client_types__load(&types);
	tracepoint = has_tracepoint(&types);
	if (!client_types__have(&types, "ceph_mdsc_submit_request", BTF_KIND_FUNC))
		err = -ENOTSUP;
	if (!err) {
		bpf = open_beside(main);
		err = bpf ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < COUNT(typed) && !err; i++)
		if (is_used(&typed[i], &types, tracepoint))
			err = bpf_program__set_autoload(find(bpf, typed[i].program), true);
	client_types__clear(&types);
	if (err) {
		pipescope_bpf__destroy(bpf);
		return err;
	}
	*ret_programs = (struct ceph_programs){bpf, tracepoint ? "tracepoint" : "types"};
	return 0;
}

static int open_probes(struct pipescope_bpf *main, struct ceph_programs *ret_programs)
{
	struct pipescope_bpf *bpf;
	int err = 0;

	if (access(KPROBE_TYPE, F_OK))
		return -ENOTSUP;
	bpf = open_beside(main);
	if (!bpf)
		return -ENOMEM;
	for (size_t i = 0; i < COUNT(probes) && !err; i++)
		err = bpf_program__set_autoload(find(bpf, probes[i].program), true);
	if (err) {
		pipescope_bpf__destroy(bpf);
		return err;
	}
	*ret_programs = (struct ceph_programs){bpf, "kprobes"};
	return 0;
}

typedef int open_set(struct pipescope_bpf *main, struct ceph_programs *ret_programs);
static open_set *const sets[] = {open_typed, open_probes};

/* --- attaching */

static struct bpf_link **link_of(struct pipescope_bpf *bpf, const struct bpf_program *program)
{
	struct bpf_object_skeleton *skeleton = bpf->skeleton;

	for (int i = 0; i < skeleton->prog_cnt; i++) {
		struct bpf_prog_skeleton *one =
			(void *)((char *)skeleton->progs + i * skeleton->prog_skel_sz);

		if (*one->prog == program)
			return one->link;
	}
	return NULL;
}

static const struct choice *choices_of(const struct ceph_programs *programs, size_t *ret_count)
{
	bool are_probes = !strcmp(programs->way, "kprobes");

	*ret_count = are_probes ? COUNT(probes) : COUNT(typed);
	return are_probes ? probes : typed;
}

static int attach(struct ceph_programs *programs)
{
	size_t count;
	const struct choice *choices = choices_of(programs, &count);

	for (size_t i = 0; i < count; i++) {
		struct bpf_program *program = find(programs->bpf, choices[i].program);
		struct bpf_link **link = link_of(programs->bpf, program);
		int err;

		if (!bpf_program__autoload(program) || !link)
			continue;
		*link = bpf_program__attach(program);
		if (*link)
			continue;
		err = -errno;
		/* Of kprobes it is known only now whether the function is there. */
		if (choices == probes && choices[i].use == USE_IF_THERE)
			continue;
		ceph_programs__detach(programs);
		return err ?: -ENOTSUP;
	}
	return 0;
}

void ceph_programs__detach(struct ceph_programs *programs)
{
	size_t count;
	const struct choice *choices;

	if (!programs->bpf)
		return;
	choices = choices_of(programs, &count);
	while (count--) {
		struct bpf_program *program = find(programs->bpf, choices[count].program);
		struct bpf_link **link = link_of(programs->bpf, program);

		if (link && *link)
			bpf_link__destroy(*link);
		if (link)
			*link = NULL;
	}
}

void ceph_programs__clear(struct ceph_programs *programs)
{
	ceph_programs__detach(programs);
	if (programs->bpf)
		pipescope_bpf__destroy(programs->bpf);
	*programs = (struct ceph_programs){NULL, NULL};
}

/* That functions can be followed by their types shows only when one is. */
static int start(open_set *open, struct pipescope_bpf *main, ceph_programs_ready *ready,
		 void *context, struct ceph_programs *ret_programs)
{
	struct ceph_programs programs;
	int err = open(main, &programs);

	if (err)
		return err;
	err = pipescope_bpf__load(programs.bpf);
	err = err ?: ready(context, programs.bpf);
	err = err ?: attach(&programs);
	if (err)
		ceph_programs__clear(&programs);
	else
		*ret_programs = programs;
	return err;
}

int ceph_programs__start(struct pipescope_bpf *main, ceph_programs_ready *ready, void *context,
			 struct ceph_programs *ret_programs)
{
	int err = -ENOTSUP;

	for (size_t i = 0; i < COUNT(sets) && err && err != -ENOMEM; i++)
		err = start(sets[i], main, ready, context, ret_programs);
	return err;
}

/* --- for doctor */

int ceph_programs__verified(struct pipescope_bpf *main, programs_tell *tell)
{
	int err = 0;

	for (size_t i = 0; i < COUNT(sets) && !err; i++) {
		struct ceph_programs programs;

		err = sets[i](main, &programs);
		if (!err) {
			err = programs__load_told(programs.bpf, tell);
			ceph_programs__clear(&programs);
		} else if (err == -ENOTSUP) {
			err = 0;
		}
	}
	return err;
}

static bool has_fentry(void)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY);
	int type = libbpf_find_vmlinux_btf_id(NEVER_RUNS, BPF_TRACE_FENTRY);
	_cleanup_close_ int program = -1, link = -1;

	if (type < 0)
		return false;
	options.attach_btf_id = (uint32_t)type;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", nothing, COUNT(nothing),
				&options);
	if (program >= 0)
		link = bpf_raw_tracepoint_open(NULL, program);
	return link >= 0;
}

bool ceph_programs__possible(void)
{
	struct client_types types;
	bool known;

	client_types__load(&types);
	known = client_types__have(&types, "ceph_mdsc_submit_request", BTF_KIND_FUNC);
	client_types__clear(&types);
	if (known && has_fentry())
		return true;
	return (known || !access("/sys/module/ceph", F_OK)) && !access(KPROBE_TYPE, F_OK);
}
