// SPDX-License-Identifier: GPL-2.0-or-later
#include "compat.bpf.h"

#include <bpf/bpf_endian.h>

#include "counts.bpf.h"
#include "remote.bpf.h"

#define AF_UNIX	   1
#define AF_INET	   2
#define AF_INET6   10
#define TCP_LISTEN 10

/* Only what is looked at; sockets are not among the types of vmlinux.h. */
struct in6_addr___remote {
	__u8 bytes[16];
};
struct sock_common___remote {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr___remote skc_v6_daddr, skc_v6_rcv_saddr;
} __attribute__((preserve_access_index));
struct sock___remote {
	struct sock_common___remote __sk_common;
	__u16 sk_type, sk_protocol;
} __attribute__((preserve_access_index));
struct socket___remote {
	struct sock___remote *sk;
} __attribute__((preserve_access_index));
struct file___remote {
	void *private_data;
} __attribute__((preserve_access_index));
struct sockaddr_un___remote {
	unsigned short sun_family;
	char sun_path[108];
};
struct unix_address___remote {
	int len; /* of name, with its family */
	struct sockaddr_un___remote name[0];
} __attribute__((preserve_access_index));
struct unix_sock___remote {
	struct unix_address___remote *addr;
	struct sock___remote *peer;
} __attribute__((preserve_access_index));

struct remote_events_map remote_events SEC(".maps");

/* hash of a remote -> 1, once it was sent. Used at switches: so it is allocated beforehand. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_REMOTES_SENT);
	__type(key, __u64);
	__type(value, __u32);
} remotes_sent SEC(".maps");

static __always_inline struct ps_remote *empty_remote(__u32 slot)
{
	struct ps_remote_event *event = bpf_map_lookup_elem(&remote_events, &slot);

	if (!event)
		return NULL;
	__builtin_memset(&event->remote, 0, sizeof(event->remote));
	return &event->remote;
}

/* IPv4 addresses in IPv6 sockets are those of IPv4. */
static __always_inline void settle_address(struct ps_remote *remote)
{
	if (remote->family != AF_INET6 || remote->words[0] ||
	    *(__u32 *)&remote->address[8] != bpf_htonl(0xffff))
		return;
	remote->family = AF_INET;
	remote->words[0] = *(__u32 *)&remote->address[12];
	remote->words[1] = 0;
}

static __always_inline __u64 hash_of(const struct ps_remote *remote)
{
	__u64 hash = ps_mix(0, *(const __u64 *)remote);

	if (remote->family != AF_UNIX)
		return PS_REMOTE_HASH(ps_mix(ps_mix(hash, remote->words[0]), remote->words[1]));
	for (int i = 0; i < PS_REMOTE_TEXT / 8; i++)
		hash = ps_mix(hash, remote->words[i]);
	return PS_REMOTE_HASH(hash);
}

static __always_inline void read_internet(struct sock___remote *sock, struct ps_remote *remote)
{
	bool own = BPF_CORE_READ(sock, __sk_common.skc_state) == TCP_LISTEN;
	struct sock_common___remote *common = &sock->__sk_common;

	remote->port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
	if (own || !remote->port) {
		remote->side = PS_REMOTE_OWN;
		remote->port = BPF_CORE_READ(sock, __sk_common.skc_num);
	}
	if (remote->family == AF_INET) {
		if (remote->side == PS_REMOTE_OWN)
			bpf_core_read(remote->address, 4, &common->skc_rcv_saddr);
		else
			bpf_core_read(remote->address, 4, &common->skc_daddr);
	} else if (bpf_core_field_exists(common->skc_v6_daddr)) {
		if (remote->side == PS_REMOTE_OWN)
			bpf_core_read(remote->address, 16, &common->skc_v6_rcv_saddr);
		else
			bpf_core_read(remote->address, 16, &common->skc_v6_daddr);
	}
	settle_address(remote);
}

static __always_inline bool read_unix_name(struct unix_sock___remote *sock,
					   struct ps_remote *remote)
{
	struct unix_address___remote *address = BPF_CORE_READ(sock, addr);
	__s32 size;

	if (!address)
		return false;
	size = BPF_CORE_READ(address, len) - (__s32)sizeof(__u16);
	if (size <= 0)
		return false;
	if (size > 108)
		size = 108;
	remote->size = size;
	HIDE_RANGE(size);
	bpf_probe_read_kernel(remote->text, size & 127 ?: 1,
			      (char *)address +
				      bpf_core_field_offset(struct unix_address___remote, name) +
				      sizeof(__u16));
	return true;
}

/* An accepted socket has the address of the one that listened: what its client calls the peer's. */
static __always_inline void read_unix(struct unix_sock___remote *sock, struct ps_remote *remote)
{
	struct unix_sock___remote *peer;

	remote->side = PS_REMOTE_NONE;
	if (!bpf_core_field_exists(sock->peer))
		return;
	peer = (void *)BPF_CORE_READ(sock, peer);
	if (peer && read_unix_name(peer, remote))
		remote->side = PS_REMOTE_PEER;
	else if (read_unix_name(sock, remote))
		remote->side = PS_REMOTE_OWN;
}

__noinline __u64 remote__of_file(__u64 file, __u32 slot)
{
	struct ps_remote *remote = empty_remote(slot);
	struct socket___remote *socket;
	struct sock___remote *sock;

	if (!remote || !file)
		return 0;
	if ((BPF_CORE_READ((struct file *)file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ((struct file___remote *)file, private_data);
	sock = BPF_CORE_READ(socket, sk);
	if (!sock)
		return 0;
	remote->family = BPF_CORE_READ(sock, __sk_common.skc_family);
	remote->protocol = remote->family == AF_UNIX ? BPF_CORE_READ(sock, sk_type)
						     : BPF_CORE_READ(sock, sk_protocol);
	if (remote->family == AF_INET || remote->family == AF_INET6)
		read_internet(sock, remote);
	else if (remote->family == AF_UNIX)
		read_unix((void *)sock, remote);
	else
		remote->side = PS_REMOTE_NONE;
	return hash_of(remote);
}

struct address_head {
	__u16 family;
	__be16 port;
	__u32 address;
};

/* A path ends with its NUL, as the kernel keeps it; an abstract name begins with one. */
static __always_inline bool read_user_name(__u64 address, __u32 size, struct ps_remote *remote)
{
	long got;

	if (size <= sizeof(__u16))
		return false;
	size -= sizeof(__u16);
	if (size > 108)
		size = 108;
	address += sizeof(__u16);
	HIDE_RANGE(size);
	got = bpf_probe_read_user_str(remote->text, (size & 127) + 1, (const void *)address);
	if (got < 0)
		return false;
	remote->size = got < 108 ? got : 108;
	if (got > 1)
		return true;
	remote->size = size;
	HIDE_RANGE(size);
	return !bpf_probe_read_user(remote->text, size & 127 ?: 1, (const void *)address);
}

__noinline __u64 remote__of_address(__u64 address, __u32 size, __u32 protocol, __u32 slot)
{
	struct ps_remote *remote = empty_remote(slot);
	struct address_head head;

	if (!remote || !address || size < sizeof(head.family) ||
	    bpf_probe_read_user(&head, sizeof(head), (const void *)address))
		return 0;
	remote->family = head.family;
	remote->protocol = protocol;
	remote->port = bpf_ntohs(head.port);
	if (head.family == AF_INET) {
		remote->words[0] = head.address;
	} else if (head.family == AF_INET6) {
		/* Behind family and port lies the flow. */
		if (bpf_probe_read_user(remote->address, 16, (const void *)(address + 8)))
			return 0;
		settle_address(remote);
	} else if (head.family == AF_UNIX) {
		remote->port = 0;
		if (!read_user_name(address, size, remote))
			return 0;
	} else {
		return 0;
	}
	return hash_of(remote);
}

__noinline int remote__tell(__u64 hash, __u32 slot)
{
	struct ps_remote_event *event = bpf_map_lookup_elem(&remote_events, &slot);
	__u64 id = bpf_get_current_pid_tgid();
	__u32 one = 1;

	if (!hash || !event || bpf_map_lookup_elem(&remotes_sent, &hash))
		return 0;
	event->event.type = PS_EVENT_REMOTE;
	event->event.size = sizeof(*event);
	event->event.time_ns = bpf_ktime_get_ns();
	event->event.tgid = id >> 32;
	event->event.tid = (__u32)id;
	event->hash = hash;
	if (bpf_ringbuf_output(&events, event, sizeof(*event), 0))
		count_event(PS_COUNTER_FILE_EVENTS_FULL);
	else
		bpf_map_update_elem(&remotes_sent, &hash, &one, BPF_ANY);
	return 0;
}
