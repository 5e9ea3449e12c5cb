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

const char *wait_class__name(uint32_t class, uint64_t detail, char buffer[WAIT_CLASS_NAME_SIZE])
{
	const char *name;

	if (class >= PS_WAIT_COUNT)
		return "other";
	if (class != PS_WAIT_OTHER || !detail)
		return class_names[class];
	name = detail <= PS_SYSCALL_LIMIT ? syscall__name((uint32_t)detail - 1) : NULL;
	if (name)
		snprintf(buffer, WAIT_CLASS_NAME_SIZE, "other:%s", name);
	else
		snprintf(buffer, WAIT_CLASS_NAME_SIZE, "other:%llu",
			 (unsigned long long)detail - 1);
	return buffer;
}

/* Without room for one more detail, that of the class. */
static struct wait_sum *sum_of(struct wait_sums *sums, uint64_t key)
{
	for (size_t i = 0; i < sums->detail_count; i++)
		if (sums->details[i].key == key)
			return &sums->details[i].sum;
	if (!PS_WAIT_KEY_DETAIL(key) || sums->detail_count == WAIT_SUMS_DETAILS)
		return &sums->classes[PS_WAIT_KEY_CLASS(key)];
	sums->details[sums->detail_count].key = key;
	return &sums->details[sums->detail_count++].sum;
}

/* Where BPF will count the wait that goes on: under its detail, as long as there is a place. */
static uint64_t counted_under(const struct ps_waits *waits, uint32_t class)
{
	uint64_t key = PS_WAIT_KEY(class, waits->detail & PS_WAIT_DETAIL_MASK);

	for (size_t i = 0; i < PS_WAIT_DETAILS && !PS_WAIT_IS_READY(class); i++)
		if (!waits->details[i].count || waits->details[i].key == key)
			return key;
	return PS_WAIT_KEY(class, 0);
}

static void add_time(struct wait_sums *sums, uint64_t key, uint64_t ns)
{
	if (ns)
		sum_of(sums, key)->ns += ns;
}

void wait_sums__of(const struct ps_waits *waits, uint64_t now_ns, struct wait_sums *ret_sums)
{
	uint64_t woken = waits->wake_ns ? waits->wake_ns : now_ns;

	memset(ret_sums, 0, sizeof(*ret_sums));
	for (size_t i = 0; i < PS_WAIT_COUNT; i++) {
		ret_sums->classes[i].ns = waits->ns[i];
		ret_sums->classes[i].count = waits->count[i];
	}
	for (size_t i = 0; i < PS_WAIT_DETAILS; i++) {
		const struct ps_wait_detail *detail = &waits->details[i];
		struct wait_sum *sum;

		if (!detail->count || PS_WAIT_KEY_CLASS(detail->key) >= PS_WAIT_COUNT)
			continue;
		sum = sum_of(ret_sums, detail->key);
		sum->ns += detail->ns;
		sum->count += detail->count;
	}
	if (!waits->out_ns || waits->out_ns > now_ns || waits->class >= PS_WAIT_COUNT)
		return;
	if (PS_WAIT_IS_READY(waits->class)) {
		add_time(ret_sums, PS_WAIT_KEY(waits->class, 0), now_ns - waits->out_ns);
		return;
	}
	if (woken > now_ns || woken < waits->out_ns)
		woken = now_ns;
	add_time(ret_sums, counted_under(waits, waits->class), woken - waits->out_ns);
	add_time(ret_sums, PS_WAIT_KEY(PS_WAIT_RUN_QUEUE, 0), now_ns - woken);
}

/* What there is more, which then is charged. */
static struct wait_sum growth(struct wait_sum *charged, const struct wait_sum *now)
{
	struct wait_sum more = {};

	if (now->ns > charged->ns) {
		more.ns = now->ns - charged->ns;
		charged->ns = now->ns;
	}
	if (now->count > charged->count) {
		more.count = now->count - charged->count;
		charged->count = now->count;
	}
	return more;
}

static void add(struct wait_sum *sum, const struct wait_sum *more)
{
	sum->ns += more->ns;
	sum->count += more->count;
}

void wait_sums__charge(struct wait_sums *sums, struct wait_sums *charged,
		       const struct wait_sums *now, wait_sums_detail *detail, void *context)
{
	for (size_t i = 0; i < PS_WAIT_COUNT; i++) {
		struct wait_sum more = growth(&charged->classes[i], &now->classes[i]);

		add(&sums->classes[i], &more);
	}
	for (size_t i = 0; i < now->detail_count; i++) {
		uint64_t key = now->details[i].key;
		struct wait_sum more = growth(sum_of(charged, key), &now->details[i].sum);

		if ((more.ns || more.count) && (!detail || detail(context, key, &more)))
			add(sum_of(sums, key), &more);
	}
}

int wait_sums__each(const struct wait_sums *sums, wait_sums_tell *tell, void *context)
{
	int err = 0;

	for (uint32_t i = 0; i < PS_WAIT_COUNT && !err; i++)
		if (sums->classes[i].ns || sums->classes[i].count)
			err = tell(context, i, 0, &sums->classes[i]);
	for (size_t i = 0; i < sums->detail_count && !err; i++)
		if (sums->details[i].sum.ns || sums->details[i].sum.count)
			err = tell(context, PS_WAIT_KEY_CLASS(sums->details[i].key),
				   PS_WAIT_KEY_DETAIL(sums->details[i].key), &sums->details[i].sum);
	return err;
}
