// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/wait_sums.h"

#include <stdio.h>
#include <string.h>

#include "capture/wait_kinds.h"

static const char *const class_names[] = {
#define X(name, text, meaning) [PS_WAIT_##name] = text,
	PS_WAITS(X)
#undef X
};

const char *wait_class__name(uint32_t class, uint32_t syscall, char buffer[WAIT_CLASS_NAME_SIZE])
{
	const char *name = syscall__name(syscall);

	if (class >= PS_WAIT_COUNT)
		return "other";
	if (class != PS_WAIT_OTHER || syscall == PS_NO_SYSCALL)
		return class_names[class];
	if (name)
		snprintf(buffer, WAIT_CLASS_NAME_SIZE, "other:%s", name);
	else
		snprintf(buffer, WAIT_CLASS_NAME_SIZE, "other:%u", syscall);
	return buffer;
}

static struct wait_sum *other_sum(struct wait_sums *sums, uint32_t syscall)
{
	for (size_t i = 0; i < sums->other_count; i++)
		if (sums->others[i].syscall == syscall)
			return &sums->others[i].sum;
	if (syscall == PS_NO_SYSCALL || sums->other_count == WAIT_SUMS_OTHERS)
		return &sums->classes[PS_WAIT_OTHER];
	sums->others[sums->other_count].syscall = syscall;
	return &sums->others[sums->other_count++].sum;
}

static void add_time(struct wait_sums *sums, uint32_t class, uint32_t syscall, uint64_t ns)
{
	if (class == PS_WAIT_OTHER)
		other_sum(sums, syscall)->ns += ns;
	else if (class < PS_WAIT_COUNT)
		sums->classes[class].ns += ns;
}

/* The system call under which BPF will count the wait that goes on: its own, as long as there is
 * room to keep it apart. */
static uint32_t counted_under(const struct ps_waits *waits)
{
	for (size_t i = 0; i < PS_WAIT_OTHERS - 1; i++)
		if (!waits->others[i].count || waits->others[i].syscall == waits->syscall)
			return waits->syscall;
	return PS_NO_SYSCALL;
}

void wait_sums__of(const struct ps_waits *waits, uint64_t now_ns, struct wait_sums *ret_sums)
{
	uint64_t woken = waits->wake_ns ? waits->wake_ns : now_ns;

	memset(ret_sums, 0, sizeof(*ret_sums));
	for (size_t i = 0; i < PS_WAIT_COUNT; i++) {
		if (i == PS_WAIT_OTHER)
			continue;
		ret_sums->classes[i].ns = waits->ns[i];
		ret_sums->classes[i].count = waits->count[i];
	}
	for (size_t i = 0; i < PS_WAIT_OTHERS; i++) {
		struct wait_sum *sum;

		if (!waits->others[i].count)
			continue;
		sum = other_sum(ret_sums, waits->others[i].syscall);
		sum->ns += waits->others[i].ns;
		sum->count += waits->others[i].count;
	}
	if (!waits->out_ns || waits->out_ns > now_ns)
		return;
	if (woken > now_ns || woken < waits->out_ns)
		woken = now_ns;
	add_time(ret_sums, waits->class, counted_under(waits), woken - waits->out_ns);
	add_time(ret_sums, PS_WAIT_RUN_QUEUE, PS_NO_SYSCALL, now_ns - woken);
}

static void charge(struct wait_sum *sum, struct wait_sum *charged, const struct wait_sum *now)
{
	if (now->ns > charged->ns) {
		sum->ns += now->ns - charged->ns;
		charged->ns = now->ns;
	}
	if (now->count > charged->count) {
		sum->count += now->count - charged->count;
		charged->count = now->count;
	}
}

void wait_sums__charge(struct wait_sums *sums, struct wait_sums *charged,
		       const struct wait_sums *now)
{
	for (size_t i = 0; i < PS_WAIT_COUNT; i++)
		charge(&sums->classes[i], &charged->classes[i], &now->classes[i]);
	for (size_t i = 0; i < now->other_count; i++) {
		uint32_t syscall = now->others[i].syscall;

		charge(other_sum(sums, syscall), other_sum(charged, syscall), &now->others[i].sum);
	}
}

int wait_sums__each(const struct wait_sums *sums, wait_sums_tell *tell, void *context)
{
	char buffer[WAIT_CLASS_NAME_SIZE];
	int err = 0;

	for (size_t i = 0; i < PS_WAIT_COUNT && !err; i++)
		if (sums->classes[i].ns || sums->classes[i].count)
			err = tell(context, class_names[i], &sums->classes[i]);
	for (size_t i = 0; i < sums->other_count && !err; i++)
		if (sums->others[i].sum.ns || sums->others[i].sum.count)
			err = tell(context,
				   wait_class__name(PS_WAIT_OTHER, sums->others[i].syscall, buffer),
				   &sums->others[i].sum);
	return err;
}
