// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/programs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/log.h"
#include "capture/features.h"
#include "capture/io_calls.h"
#include "capture/percpu.h"
#include "capture/wait_kinds.h"
#include "pipescope.skel.h"
#include "wire.h"

#define VERIFIER_LOG_SIZE  (1024 * 1024)
#define VERIFIER_LOG_STATS 4 /* BPF_LOG_STATS: one line of figures, on every kernel since 5.2 */

/* libbpf's own words are for whoever asks why a program was refused. */
static bool tell_why;

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[4096];

	if (level != LIBBPF_WARN || !tell_why)
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log__error("%s", text);
	return 0;
}

static struct pipescope_bpf *open_programs(bool offcpu, bool io, bool quanta)
{
	/* Before 5.11 the memory of maps counts against this limit. */
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct pipescope_bpf *bpf;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(print_libbpf);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	bpf = pipescope_bpf__open();
	if (!bpf)
		return NULL;
	bpf->rodata->knob_task_pt_regs = feature__task_pt_regs();
	bpf->rodata->knob_task_storage = feature__task_storage();
	/* Of the two places for a thread's state only one is made. */
	bpf_map__set_autocreate(bpf->maps.threads, bpf->rodata->knob_task_storage);
	bpf_map__set_autocreate(bpf->maps.threads_by_tid, !bpf->rodata->knob_task_storage);
	bpf->rodata->knob_offcpu = offcpu;
	bpf->rodata->knob_preempt_count = offcpu ? percpu__preempt_count() : 0;
	wait_kinds__fill((uint8_t *)bpf->rodata->wait_kinds);
	bpf_program__set_autoload(bpf->progs.offcpu_switch, offcpu);
	bpf_program__set_autoload(bpf->progs.offcpu_waking, offcpu);
	bpf->rodata->knob_io = io;
	if (io)
		io_calls__fill((uint8_t *)bpf->rodata->io_calls);
	bpf_program__set_autoload(bpf->progs.syscall_enter, io);
	bpf->rodata->knob_quanta = quanta;
	if (!quanta) {
		bpf_map__set_max_entries(bpf->maps.frame_rules, 1);
		bpf_map__set_max_entries(bpf->maps.quanta, 1);
	}
	bpf_program__set_autoload(bpf->progs.quanta_exit, quanta);
	bpf_program__set_autoload(bpf->progs.syscall_exit, offcpu || io || quanta);
	return bpf;
}

static int choose_environment(struct pipescope_bpf *bpf, const struct programs_knobs *knobs)
{
	int fd = bpf_map__fd(bpf->maps.env_names);
	uint32_t one = 1;

	for (size_t i = 0; i < knobs->environment_count; i++) {
		uint64_t hash = PS_NAME_HASH_START;
		int err;

		for (const char *at = knobs->environment[i]; *at; at++)
			hash = PS_NAME_HASH_STEP(hash, *at);
		err = bpf_map_update_elem(fd, &hash, &one, BPF_ANY);
		if (err)
			return err;
	}
	return 0;
}

int programs__load(const struct programs_knobs *knobs, struct pipescope_bpf **ret_bpf)
{
	struct pipescope_bpf *bpf = open_programs(knobs->offcpu, knobs->io, knobs->quanta);
	int err;

	if (!bpf)
		return -errno;
	bpf->rodata->knob_only_wanted = knobs->only_wanted;
	if (knobs->quanta)
		memcpy((uint8_t *)bpf->rodata->quantum_calls, knobs->quantum_calls,
		       sizeof(knobs->quantum_calls));
	err = pipescope_bpf__load(bpf);
	if (!err)
		err = choose_environment(bpf, knobs);
	if (err) {
		pipescope_bpf__destroy(bpf);
		return err;
	}
	*ret_bpf = bpf;
	return 0;
}

struct attachment {
	const struct bpf_program *program;
	struct bpf_link **link;
};

static int attach(const struct attachment *attachments, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!bpf_program__autoload(attachments[i].program))
			continue;
		*attachments[i].link = bpf_program__attach(attachments[i].program);
		if (!*attachments[i].link)
			return -errno;
	}
	return 0;
}

int programs__attach(struct pipescope_bpf *bpf)
{
	const struct attachment attachments[] = {
		{bpf->progs.life_fork, &bpf->links.life_fork},
		{bpf->progs.life_exec, &bpf->links.life_exec},
		{bpf->progs.quanta_exit, &bpf->links.quanta_exit},
		{bpf->progs.life_exit, &bpf->links.life_exit},
		{bpf->progs.life_free, &bpf->links.life_free},
		{bpf->progs.offcpu_switch, &bpf->links.offcpu_switch},
		{bpf->progs.offcpu_waking, &bpf->links.offcpu_waking},
		/* Waits that are chosen from now on must find the end of their call. */
		{bpf->progs.syscall_exit, &bpf->links.syscall_exit},
	};

	return attach(attachments, sizeof(attachments) / sizeof(attachments[0]));
}

int programs__attach_calls(struct pipescope_bpf *bpf)
{
	const struct attachment attachments[] = {
		{bpf->progs.syscall_enter, &bpf->links.syscall_enter},
	};

	return attach(attachments, sizeof(attachments) / sizeof(attachments[0]));
}

int programs__verified(void (*tell)(const char *program, unsigned long instructions))
{
	struct pipescope_bpf *bpf = open_programs(true, true, true);
	struct bpf_program *program;
	int err = 0;

	if (!bpf)
		return -errno;
	tell_why = true;
	bpf_object__for_each_program(program, bpf->obj)
	{
		char *log = calloc(1, VERIFIER_LOG_SIZE);

		if (!log || bpf_program__set_log_buf(program, log, VERIFIER_LOG_SIZE) ||
		    bpf_program__set_log_level(program, VERIFIER_LOG_STATS)) {
			free(log);
			err = -ENOMEM;
			break;
		}
	}
	if (!err)
		err = pipescope_bpf__load(bpf);
	bpf_object__for_each_program(program, bpf->obj)
	{
		size_t size;
		const char *log = bpf_program__log_buf(program, &size);
		const char *figure = log ? strstr(log, "processed ") : NULL;

		if (!err && figure)
			tell(bpf_program__name(program), strtoul(figure + 10, NULL, 10));
		else if (log && figure && err)
			log__error("%s: %s", bpf_program__name(program), log);
		free((char *)log);
	}
	pipescope_bpf__destroy(bpf);
	return err;
}

void programs__detach_calls(struct pipescope_bpf *bpf)
{
	bpf_link__destroy(bpf->links.syscall_enter);
	bpf_link__destroy(bpf->links.syscall_exit);
	bpf->links.syscall_enter = bpf->links.syscall_exit = NULL;
}
