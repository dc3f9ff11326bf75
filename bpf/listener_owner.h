/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: which listener a child comes out of. At its birth (LISTEN->SYN_RECV in inet_csk_clone_lock()) a child has no
 * pointer to it. The first to listen on an address and port is found by these. A further one there (SO_REUSEPORT), one
 * whose children may have other ports than it, and one whose port is chosen by listen() itself (it is not bound, and says
 * CLOSE->LISTEN before that) leaves in its socket storage where its entry is, which the kernel clones to its children
 * (BPF_F_CLONE): that takes 2 us a child. Where tracing programs have no socket storage (5.10), or must not make any
 * (PREEMPT_RT), the last to listen there is taken for the parent.
 */
#ifndef SOCKEYE_BPF_LISTENER_OWNER_H
#define SOCKEYE_BPF_LISTENER_OWNER_H

#include "bpf/sock_entry.h"

/* sock_entry.children_by */
#define CHILDREN_BY_NOTHING 0
#define CHILDREN_BY_END 1
#define CHILDREN_BY_SOCKET 2

/* The entry of a listener; another cookie there: it is gone. */
struct listener_ref {
	__u64 address; /* its key in entry_by_address */
	__u64 cookie;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct listener_ref);
} listener_in_socket SEC(".maps");

struct listened_end {
	__u8 laddr[16]; /* as in socket_id; all zero: any */
	__u32 netns;    /* inode number */
	__u16 port;
	__u8 family; /* of the socket: a child has that of its listener */
	__u8 _pad;
};
_Static_assert(sizeof(struct listened_end) == 24, "no padding in a key");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct listened_end);
	__type(value, struct listener_ref);
} listener_by_end SEC(".maps");

INLINE void forget_address(struct listened_end *end)
{
	__builtin_memset(end->laddr, 0, sizeof(end->laddr));
}

INLINE void call_any_zero(struct listened_end *end)
{
	if (is_any_address(end->laddr))
		forget_address(end);
}

/* The local end of a listener, or of a child. */
INLINE void read_listened_end(struct listened_end *end, struct tcp_sock *tp)
{
	struct sock_common *common = &tp->inet_conn.icsk_inet.sk.__sk_common;

	end->family = (__u8)common->skc_family;
	end->netns = common->skc_net.net->ns.inum;
	end->port = local_port(tp);
	if (common->skc_family == AF_INET6)
		copy_ipv6(end->laddr, &common->skc_v6_rcv_saddr);
	else
		map_ipv4(end->laddr, common->skc_rcv_saddr);
	call_any_zero(end);
}

/*
 * Whether a child may have another port than its listener: TPROXY asks for IP_TRANSPARENT, which children inherit, and a
 * namespace may have sk_lookup programs. On 5.10 a child still has its listener's port at its birth.
 */
INLINE int ports_may_differ(struct tcp_sock *tp)
{
	if (!settings.has_socket_cookie)
		return 0;
	return is_transparent(tp) || has_sk_lookup(tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net);
}

/* The entry that it leads to, while its socket listens; else 0. */
INLINE struct sock_entry *entry_of_listener(struct listener_ref *ref)
{
	__u64 address = ref->address;
	struct sock_entry *entry = bpf_map_lookup_elem(&entry_by_address, &address);

	if (!entry || entry->cookie != ref->cookie || entry->role != ROLE_LISTENER)
		return 0;
	return entry;
}

/* Whether this listener is found by its end from now on: not where another one is that still listens. */
INLINE int find_children_by_end(struct listened_end *end, struct listener_ref *ref)
{
	struct listener_ref *there;

	if (!end->port)
		return 0;
	if (!bpf_map_update_elem(&listener_by_end, end, ref, BPF_NOEXIST))
		return 1;
	there = bpf_map_lookup_elem(&listener_by_end, end);
	if (!there || (settings.has_socket_storage && entry_of_listener(there)))
		return 0;
	return !bpf_map_update_elem(&listener_by_end, end, ref, BPF_ANY);
}

/* What it was cloned with, or left there when it listened before, does not hold any longer. */
INLINE void forget_socket_ref(struct sock *sk)
{
	if (settings.has_socket_storage)
		bpf_sk_storage_delete(&listener_in_socket, sk);
}

/*
 * `sk` listens, and its entry says so. Where it can be found in neither way its children have no owner until they are
 * used: counted.
 */
INLINE void remember_listener(struct sock *sk, struct tcp_sock *tp, struct sock_entry *entry)
{
	struct listener_ref fresh = { .address = (__u64)sk, .cookie = entry->cookie };
	struct listened_end end = {};
	struct listener_ref *ref = 0;

	forget_socket_ref(sk);
	read_listened_end(&end, tp);
	end.port = bound_port(tp);
	entry->children_by = CHILDREN_BY_NOTHING;
	if (!ports_may_differ(tp) && find_children_by_end(&end, &fresh)) {
		entry->children_by = CHILDREN_BY_END;
		return;
	}
	if (settings.has_socket_storage)
		ref = bpf_sk_storage_get(&listener_in_socket, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (ref) {
		*ref = fresh;
		entry->children_by = CHILDREN_BY_SOCKET;
	} else if (end.port) {
		__sync_fetch_and_add(&counters.listeners_left_out, 1);
	}
}

/*
 * It listens no more. Only who is found by an end takes it away, and nobody else comes there before that; on 5.10 another
 * one may have come.
 */
INLINE void forget_listener(struct sock *sk, struct tcp_sock *tp, struct sock_entry *entry)
{
	struct listened_end end = {};
	struct listener_ref *ref;

	if (entry->children_by == CHILDREN_BY_SOCKET)
		forget_socket_ref(sk);
	if (entry->children_by == CHILDREN_BY_END) {
		read_listened_end(&end, tp);
		ref = bpf_map_lookup_elem(&listener_by_end, &end);
		if (ref && ref->cookie == entry->cookie)
			bpf_map_delete_elem(&listener_by_end, &end);
	}
	entry->children_by = CHILDREN_BY_NOTHING;
}

INLINE struct listener_ref *listener_at_end_of(struct tcp_sock *child)
{
	struct listened_end end = {};
	struct listener_ref *ref;

	read_listened_end(&end, child);
	ref = bpf_map_lookup_elem(&listener_by_end, &end);
	if (ref)
		return ref;
	forget_address(&end);
	return bpf_map_lookup_elem(&listener_by_end, &end);
}

/* The entry of the listener that this child comes out of; 0: not known. */
INLINE struct sock_entry *parent_of(struct sock *child, struct tcp_sock *tp)
{
	struct listener_ref *ref = 0;

	if (settings.has_socket_storage)
		ref = bpf_sk_storage_get(&listener_in_socket, child, 0, 0);
	if (!ref && !ports_may_differ(tp))
		ref = listener_at_end_of(tp);
	return ref ? entry_of_listener(ref) : 0;
}

#endif
