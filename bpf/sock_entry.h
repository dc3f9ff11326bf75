/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: the entry of a TCP socket: the core, and behind it the part of each collector of the run that has a
 * <name>.sock.h. User space says where each begins, and how long the whole is (src/bpf/object.cpp).
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
	__u64 cookie;      /* of the socket it belongs to; another one: what was at this address before */
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
	__u32 _pad;
	__u64 last_accept_ns; /* of a listener, where settings.wants_accept_time: CLOCK_BOOTTIME; 0: not seen */
	struct guarded_owner whose;
};
_Static_assert(sizeof(struct sock_entry) % 8 == 0, "parts begin behind it");
_Static_assert(sizeof(struct sock_entry) + SIZE_OF_ALL_PARTS <= 512, "a socket's entry is at most 512 bytes");

const volatile __u32 entry_size = sizeof(struct sock_entry); /* with all parts */

/* The part of a collector of this run: struct <collector>_sock. */
#define entry_part(entry, collector) ((struct collector##_sock *)((__u8 *)(entry) + part_of_##collector))

INLINE void clean_parts(struct sock_entry *entry)
{
	for (__u32 at = sizeof(*entry); at < entry_size; at += sizeof(__u64))
		*(volatile __u64 *)((__u8 *)entry + at) = 0;
}

/* User space says how many there may be, how long they are, and whether they are allocated one by one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct sock_entry));
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
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sock_entry));
} entry_blank SEC(".maps");

/* find_entry() */
#define ENTRY_FIND 0
#define ENTRY_CREATE 1 /* where there is none */

/* The entry of this socket; 0 where there is none, or no room for it. */
INLINE struct sock_entry *find_entry(const void *sk, int how)
{
	__u64 address = (__u64)sk;
	struct sock_entry *entry = bpf_map_lookup_elem(&entry_by_address, &address);
	__u32 zero = 0;
	struct sock_entry *blank;

	if (entry || how == ENTRY_FIND)
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
