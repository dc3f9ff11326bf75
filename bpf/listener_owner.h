/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: which listener a child comes out of. At its birth (LISTEN->SYN_RECV in inet_csk_clone_lock()) a child has no
 * pointer to it. The first to listen on an address and port is found by these, and stands for further ones there
 * (SO_REUSEPORT) that have the same owner. One with another owner, one whose children may have other ports than it, and one
 * whose port is chosen by listen() itself (it is not bound, and says CLOSE->LISTEN before that) leaves in its socket storage
 * where its entry is, which the kernel clones to its children (BPF_F_CLONE): that takes 2 us per child. Where tracing programs have no socket storage (5.10), or must not make any
 * (PREEMPT_RT), the last to listen there is taken for the parent.
 */
#ifndef SOCKEYE_BPF_LISTENER_OWNER_H
#define SOCKEYE_BPF_LISTENER_OWNER_H

#include "bpf/sock_entry.h"

/* sock_entry.children_by */
#define CHILDREN_BY_NOTHING 0
#define CHILDREN_BY_END 1
#define CHILDREN_BY_SOCKET 2

#define LISTENERS_OF_END 8 /* that share one, where they have the same owner */

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
	__u8 place;  /* 0: where children look; those at the others wait to take that */
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

/* Whether the same thread of the same process owns both: children of either look the same. */
INLINE int has_same_owner(struct sock_entry *entry, struct sock_entry *other)
{
	struct owner *one = shown_owner(&entry->whose), *two = shown_owner(&other->whose);

	return one->start_ns && one->start_ns == two->start_ns && one->pid == two->pid && one->tid == two->tid &&
	       one->source == two->source;
}

/* Its children are found by nothing. */
INLINE void reset_children_by(struct sock_entry *entry)
{
	entry->children_by = CHILDREN_BY_NOTHING;
	entry->end_place = 0;
	entry->shares_end = 0;
}

/* `entry` waits behind the one at this end, which has the same owner. Whether it has found a place, and that one is still there. */
static __attribute__((noinline, unused)) int wait_behind(struct listened_end *end, struct listener_ref *ref,
							 struct listener_ref *first, struct sock_entry *entry)
{
	__u64 cookie = first->cookie;
	struct listener_ref *there;
	int place;

	for (place = 1; place < LISTENERS_OF_END; place++) {
		end->place = place;
		if (!bpf_map_update_elem(&listener_by_end, end, ref, BPF_NOEXIST))
			break;
	}
	if (place == LISTENERS_OF_END)
		return 0;
	entry->end_place = place;
	entry->shares_end = 1;
	end->place = 0;
	there = bpf_map_lookup_elem(&listener_by_end, end);
	if (there && there->cookie == cookie)
		return 1;
	end->place = place;
	bpf_map_delete_elem(&listener_by_end, end);
	reset_children_by(entry);
	return 0;
}

/*
 * Whether the children of this listener are found by its end from now on: not where another one with another owner is that
 * still listens.
 */
INLINE int find_children_by_end(struct listened_end *end, struct listener_ref *ref, struct sock_entry *entry)
{
	struct listener_ref *there;
	struct sock_entry *first;

	if (!end->port)
		return 0;
	if (!bpf_map_update_elem(&listener_by_end, end, ref, BPF_NOEXIST))
		return 1;
	there = bpf_map_lookup_elem(&listener_by_end, end);
	if (!there)
		return 0;
	first = settings.has_socket_storage ? entry_of_listener(there) : 0;
	if (!first)
		return !bpf_map_update_elem(&listener_by_end, end, ref, BPF_ANY);
	if (!has_same_owner(entry, first))
		return 0;
	first->shares_end = 1;
	return wait_behind(end, ref, there, entry);
}

/* The next one that waits takes the place of the one that leaves. Whether there is one. */
static __attribute__((noinline, unused)) int hand_on_end(struct listened_end *end)
{
	for (int place = 1; place < LISTENERS_OF_END; place++) {
		struct listener_ref *waiting, heir;
		struct sock_entry *entry;

		end->place = place;
		waiting = bpf_map_lookup_elem(&listener_by_end, end);
		if (!waiting)
			continue;
		heir = *waiting;
		entry = entry_of_listener(&heir);
		bpf_map_delete_elem(&listener_by_end, end);
		if (!entry)
			continue;
		entry->end_place = 0;
		end->place = 0;
		bpf_map_update_elem(&listener_by_end, end, &heir, BPF_ANY);
		return entry->children_by == CHILDREN_BY_END; /* else it has left meanwhile */
	}
	end->place = 0;
	return 0;
}

/* Only who is found by an end takes it away, and nobody else comes there before that; on 5.10 another one may have come. */
INLINE void leave_end(struct tcp_sock *tp, struct sock_entry *entry)
{
	struct listened_end end = {};
	struct listener_ref *ref;

	read_listened_end(&end, tp);
	end.place = entry->end_place;
	ref = bpf_map_lookup_elem(&listener_by_end, &end);
	if (!ref || ref->cookie != entry->cookie)
		return;
	if (!end.place && entry->shares_end && hand_on_end(&end))
		return;
	bpf_map_delete_elem(&listener_by_end, &end);
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
	reset_children_by(entry);
	if (!ports_may_differ(tp) && find_children_by_end(&end, &fresh, entry)) {
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

/* It listens no more. */
INLINE void forget_listener(struct sock *sk, struct tcp_sock *tp, struct sock_entry *entry)
{
	__u8 children_by = entry->children_by;

	entry->children_by = CHILDREN_BY_NOTHING;
	if (children_by == CHILDREN_BY_SOCKET)
		forget_socket_ref(sk);
	if (children_by == CHILDREN_BY_END)
		leave_end(tp, entry);
}

/* Its owner is another than that of the listeners that it shares an end with. */
INLINE void stop_sharing(struct sock *sk, struct tcp_sock *tp, struct sock_entry *entry)
{
	forget_listener(sk, tp, entry);
	remember_listener(sk, tp, entry);
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
