// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "cpu": samples of all CPUs, counted by (who, thread, stack, leaf). */
#include "compat.bpf.h"
#include "counts.bpf.h"
#include "quanta.bpf.h"
#include "walker.bpf.h"

static __always_inline struct ps_who *who__current(__u32 tgid)
{
	struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);
	struct task_struct *task;
	struct ps_who born = {};

	if (who || knob_only_wanted)
		return who;
	/* Its fork was not seen: the map was full then, or it came just before the recorder. */
	task = (void *)bpf_get_current_task();
	born.epoch = PS_EPOCH_ID(bpf_ktime_get_ns(), tgid);
	born.start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	born.wanted = 1;
	bpf_map_update_elem(&epochs, &tgid, &born, BPF_NOEXIST);
	count_event(PS_COUNTER_EPOCH_ON_DEMAND);
	return bpf_map_lookup_elem(&epochs, &tgid);
}

/* The kernel part of the stack; returns its leaf, 0 when the kernel could not tell it. */
static __always_inline __u64 kernel_part(struct bpf_perf_event_data *ctx,
					 struct walker_scratch *walker)
{
	long size = bpf_get_stack(ctx, walker->kernel, sizeof(walker->kernel), 0);
	__u32 frames;

	if (size < 8) {
		count_event(PS_COUNTER_KERNEL_STACK_FAILED);
		return 0;
	}
	frames = (__u32)size / 8;
	for (__u32 i = 1; i < PS_MAX_KERNEL; i++) {
		if (i >= frames)
			break;
		walker__push(walker, walker->kernel[i]);
		walker->event.kernel_frames++;
	}
	return walker->kernel[0];
}

SEC("perf_event")
int cpu_sample(struct bpf_perf_event_data *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct walker_scratch *walker;
	struct ps_count key = {.tgid = id >> 32, .tid = (__u32)id, .metric = PS_METRIC_CPU};
	__u32 slot = WALKER_SAMPLER;
	const struct ps_who *who;

	if (!key.tid) /* the idle task */
		return 0;
	who = who__current(key.tgid);
	if (!who || !who->wanted) {
		count_event(knob_only_wanted ? PS_COUNTER_SAMPLES_NOT_WANTED
					     : PS_COUNTER_EPOCHS_FULL);
		return 0;
	}
	count_event(PS_COUNTER_SAMPLES);
	walker = bpf_map_lookup_elem(&walkers, &slot);
	if (!walker)
		return 0;
	key.epoch = epochs__of_thread(who, key.tid);
	walker__begin(walker, key.epoch, id);
	key.leaf = ctx->regs.rip;
	if (!(ctx->regs.cs & 3)) {
		__u64 leaf = kernel_part(ctx, walker);

		if (leaf)
			key.leaf = leaf;
		walker->event.leaf_kernel = 1;
	} else {
		native__begin(&walker->native, key.leaf, ctx->regs.rsp, ctx->regs.rbp);
		NATIVE_KNOW(&walker->native, &ctx->regs);
	}
	if (knob_quanta) {
		quantum__look(slot);
		who = bpf_map_lookup_elem(&epochs, &key.tgid);
		if (who)
			walker->event.epoch = key.epoch = epochs__of_thread(who, key.tid);
	}
	walker__user(slot, walker->event.leaf_kernel);
	walker__finish(slot);
	key.stack = walker->event.hash;
	counts__add(&key, 0);
	return 0;
}
