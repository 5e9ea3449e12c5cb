// SPDX-License-Identifier: GPL-2.0-or-later
/* The least that looking at both ends of all system calls can cost: two programs that do nothing.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("tp_btf/sys_enter")
int floor_enter(void *context)
{
	return 0;
}

SEC("tp_btf/sys_exit")
int floor_exit(void *context)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
