/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: whose the exact listener is that a child comes out of. At its birth (LISTEN->SYN_RECV in
 * inet_csk_clone_lock()) a child has no pointer to it. The first to listen on a port of a namespace is found by that, and
 * so are others there that have the same owner. Each further one (another process with SO_REUSEPORT, or on another
 * address), and each whose children may have other ports than it, carries its owner in its socket storage, which the
 * kernel clones to its children (BPF_F_CLONE): that takes 2 us a child. Tracing programs of 5.10 have no socket storage:
 * there the last to listen on a port is taken for the parent.
 */
#ifndef SOCKEYE_BPF_PARENT_H
#define SOCKEYE_BPF_PARENT_H

#include "bpf/sock_record.h"

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner);
} parent_in_socket SEC(".maps");

struct listened_key {
	__u32 netns; /* inode number */
	__u32 port;
};

struct listened_port {
	struct owner owner;
	__u32 listeners; /* how many are found here */
	__u8 _pad[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct listened_key);
	__type(value, struct listened_port);
} parent_by_port SEC(".maps");

INLINE struct listened_key listened_key_of(struct tcp_sock *tp)
{
	struct listened_key key = {
		.netns = tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net->ns.inum,
		.port = local_port(tp),
	};

	return key;
}

/*
 * Whether a child may have another port than its listener: TPROXY asks for IP_TRANSPARENT, which children inherit, and a
 * namespace may have sk_lookup programs. On 5.10 a child still has its listener's port at its birth.
 */
INLINE int ports_may_differ(struct tcp_sock *tp)
{
	if (!settings.has_socket_storage)
		return 0;
	return is_transparent(tp) || has_sk_lookup(tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net);
}

INLINE int is_same_owner(struct owner *a, struct owner *b)
{
	return a->pid == b->pid && a->tid == b->tid && a->start_ns == b->start_ns && a->source == b->source;
}

/* Whether the port stands for this owner now: not where it stands for another, or there is no room. */
INLINE int remember_by_port(struct listened_key *key, struct owner *owner)
{
	struct listened_port fresh = { .owner = *owner, .listeners = 1 };
	struct listened_port *known;

	if (!bpf_map_update_elem(&parent_by_port, key, &fresh, BPF_NOEXIST))
		return 1;
	known = bpf_map_lookup_elem(&parent_by_port, key);
	if (!known)
		return 0;
	if (!settings.has_socket_storage)
		known->owner = *owner;
	else if (!is_same_owner(&known->owner, owner))
		return 0;
	__sync_fetch_and_add(&known->listeners, 1);
	return 1;
}

/* `sk` listens. Where it can be found in neither way its children have no owner until they are used: counted. */
INLINE void remember_listener(struct sock *sk, struct tcp_sock *tp, struct sock_record *record)
{
	struct listened_key key = listened_key_of(tp);
	struct owner *owner = 0;

	record->is_by_port = !ports_may_differ(tp) && remember_by_port(&key, &record->owner);
	if (record->is_by_port)
		return;
	if (settings.has_socket_storage)
		owner = bpf_sk_storage_get(&parent_in_socket, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (owner)
		*owner = record->owner;
	else
		count_lost(LOST_RECORD_ALLOC);
}

/* It listens no more. */
INLINE void forget_listener(struct tcp_sock *tp, struct sock_record *record)
{
	struct listened_key key = listened_key_of(tp);
	struct listened_port *known;

	if (!record->is_by_port)
		return;
	record->is_by_port = 0;
	known = bpf_map_lookup_elem(&parent_by_port, &key);
	if (!known)
		return;
	if (known->listeners > 1)
		__sync_fetch_and_add(&known->listeners, -1);
	else
		bpf_map_delete_elem(&parent_by_port, &key);
}

/* Whose the listener is that this child comes out of; 0: not known. */
INLINE struct owner *parent_owner(struct sock *child, struct tcp_sock *tp)
{
	struct listened_key key;
	struct listened_port *known;
	struct owner *owner = 0;

	if (settings.has_socket_storage)
		owner = bpf_sk_storage_get(&parent_in_socket, child, 0, 0);
	if (owner || ports_may_differ(tp))
		return owner;
	key = listened_key_of(tp);
	known = bpf_map_lookup_elem(&parent_by_port, &key);
	return known ? &known->owner : 0;
}

#endif
