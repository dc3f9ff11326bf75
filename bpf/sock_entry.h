/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: the entry of a TCP socket: the core, and the part of each collector that has a <name>.sock.h.
 * It lives in a hash by the socket's address, and is deleted at `destroyed`. Socket storage would go with the socket by
 * itself, but takes two kmalloc(), which a kernel thread frees: 2.2 us a socket, where the hash takes 1.1 (6.18). Where
 * `destroyed` was missed, the next socket of that address takes the entry over.
 */
#ifndef SOCKEYE_BPF_SOCK_ENTRY_H
#define SOCKEYE_BPF_SOCK_ENTRY_H

#include "bpf/guarded_owner.h"
#include "bpf/read_sock.h"
#include "gen/sock_parts.h"

struct sock_entry {
	__u64 cookie;         /* of the socket it belongs to; another one: what was at this address before */
	__u64 last_accept_ns; /* of a listener, where settings.wants_accept_time: CLOCK_BOOTTIME; 0: not seen */
	struct guarded_owner whose;
	__u8 role;         /* ROLE_* */
	__u8 children_by;  /* a listener: how its children find it; CHILDREN_* of bpf/listener_owner.h */
	__u16 stale_port;  /* that of the connection before, while this one has none: bpf/hook_call.h */
	__u8 lacks_port;   /* a listener that had no port when it began to listen, and nobody has learned it since */
	__u8 role_settled; /* 1: its beginning was seen, role is what that says */
	__u8 end_place;    /* a listener that is found by its end: listened_end.place */
	__u8 shares_end;   /* 1: others with the same owner are, or were, found by that end, too */
	__u32 changes;     /* of what filters look at: counted up after each */
	__u32 verdict;     /* VERDICT_* of the filters, for this many changes << VERDICT_BITS; bpf/hook_call.h */
	__u32 departures_seen; /* bpf/owner.h */
	struct sock_parts parts;
};
_Static_assert(sizeof(struct sock_entry) <= 512, "a socket's entry is at most 512 bytes");

/* User space says how many there may be, and whether they are allocated one by one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct sock_entry);
} entry_by_address SEC(".maps");

/* Its owner, role or addresses are others now: what filters said of it no longer holds. */
INLINE void entry_changed(struct sock_entry *entry)
{
	if (filters.active)
		__sync_fetch_and_add(&entry->changes, 1);
}

/* A zeroed entry to insert from: a hash has no "create", and the stack no room. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sock_entry);
} entry_blank SEC(".maps");

/* The entry of this socket, made where `create` is set; 0 where there is none, or no room for it. */
INLINE struct sock_entry *find_entry(const void *sk, int create)
{
	__u64 address = (__u64)sk;
	struct sock_entry *entry = bpf_map_lookup_elem(&entry_by_address, &address);
	__u32 zero = 0;
	struct sock_entry *blank;

	if (entry || !create)
		return entry;
	blank = bpf_map_lookup_elem(&entry_blank, &zero);
	if (!blank)
		return 0;
	bpf_map_update_elem(&entry_by_address, &address, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&entry_by_address, &address);
}

/*
 * Of an entry that was only looked up: it, if it is this socket's own; else 0: it was left by another at this address.
 * Where tracing programs have no cookies (5.10) that cannot be told.
 */
INLINE struct sock_entry *own_entry(struct sock_entry *found, struct sock_common *common)
{
	if (!found || (settings.has_socket_cookie && found->cookie != (__u64)common->skc_cookie.counter))
		return 0;
	return found;
}

INLINE void forget_entry(struct sock *sk)
{
	__u64 address = (__u64)sk;

	bpf_map_delete_elem(&entry_by_address, &address);
}

#endif
