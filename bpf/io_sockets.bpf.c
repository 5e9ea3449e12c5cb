// SPDX-License-Identifier: GPL-2.0-or-later
/* Of calls on sockets: the remote that an address in the call names, and calls that move several
 * messages, each of which may have an address of its own. */
#include "compat.bpf.h"
#include "io.bpf.h"
#include "remote.bpf.h"

#define MOST_MESSAGES 1024 /* of one call: UIO_MAXIOV */

struct user_message {
	__u64 name; /* address of a socket address */
	__u32 name_size, pad;
	__u64 parts, part_count, control, control_size;
	__u32 flags, pad2;
};

__noinline __u64 io__remote(__u64 file, __u32 call, __u64 second, __u64 size, __s64 result)
{
	__u32 zero = REMOTE_CALL, how = PS_IO_CALL_HOW(call), protocol;
	struct ps_remote_event *event = bpf_map_lookup_elem(&remote_events, &zero);
	struct user_message message;
	__u64 hash, named;

	hash = remote__of_file(file, REMOTE_CALL);
	if (!hash || !event)
		return 0;
	if (event->remote.side == PS_REMOTE_PEER && PS_IO_CALL_OP(call) != PS_IO_CONNECT)
		return hash;
	if (PS_IO_CALL_OP(call) == PS_IO_READ && result < 0)
		return hash;
	protocol = event->remote.protocol;
	if (how != PS_IO_BY_ADDRESS) {
		if (bpf_probe_read_user(&message, sizeof(message), (const void *)second))
			return 0;
		second = message.name;
		size = message.name_size;
	} else if (PS_IO_CALL_OP(call) == PS_IO_READ) {
		__u32 told = 0;

		bpf_probe_read_user(&told, sizeof(told), (const void *)size);
		size = told;
	}
	named = remote__of_address(second, size, protocol, REMOTE_CALL);
	/* Else what was in the room is gone. */
	return named ?: remote__of_file(file, REMOTE_CALL);
}

__noinline __u64 io__message_bytes(__u64 vector, __u64 count)
{
	__u64 bytes = 0;

	for (__u32 i = 0; i < MOST_MESSAGES && i < count; i++) {
		__u32 size = 0;

		bpf_probe_read_user(&size, sizeof(size),
				    (const void *)(vector + sizeof(struct user_message)));
		bytes += size;
		vector += IO_MESSAGE_SIZE;
	}
	return bytes;
}

__noinline __u64 io__messages_alike(__u32 call, __u64 descriptor, __u64 vector, __u64 count)
{
	__u64 file = (__u64)file_of(compat__current(), descriptor), remote;
	__u32 slot = REMOTE_CALL;
	struct ps_remote_event *event = bpf_map_lookup_elem(&remote_events, &slot);

	if (!event || !remote__of_file(file, REMOTE_CALL) || event->remote.side == PS_REMOTE_PEER)
		return count;
	remote = io__remote(file, call, vector, 0, 1);
	for (__u32 i = 1; i < IO_MESSAGES_APART && i < count; i++) {
		vector += IO_MESSAGE_SIZE;
		if (io__remote(file, call, vector, 0, 1) != remote)
			return i;
	}
	return count;
}

/* Not inline: the stacks of all would not fit together. */
__noinline __u64 io_message_remote(__u32 call, __u64 descriptor, __u64 message)
{
	return io__remote((__u64)file_of(compat__current(), descriptor), call, message, 0, 1);
}

__noinline int io__end_messages(__u32 call, __u64 descriptor, __u64 vector, __u64 count)
{
	__u64 some;

	for (int i = 2; i < IO_MESSAGES_APART && count; i++) {
		some = io__messages_alike(call, descriptor, vector, count);
		io__end_other(descriptor, PS_IO_CALL_OP(call), io__message_bytes(vector, some),
			      io_message_remote(call, descriptor, vector));
		vector += some * IO_MESSAGE_SIZE;
		count -= some;
	}
	if (count)
		io__end_other(descriptor, PS_IO_CALL_OP(call), io__message_bytes(vector, count), 0);
	return 0;
}
