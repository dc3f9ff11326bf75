/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 3: the listeners of a port, for kernels where nothing but the end of a SYN tells that it was thrown away. A
 * listener counts what it drops (sk_drops, by tcp_listendrop()): the one whose count has grown is the one that did.
 * Listeners are known by address and cookie: the memory of a socket is only reused for sockets (SLAB_TYPESAFE_BY_RCU).
 */
#ifndef SOCKEYE_BPF_LISTENERS_H
#define SOCKEYE_BPF_LISTENERS_H

#include "bpf/hook_call.h"
#include "bpf/packet.h"

#define LISTENERS_OF_PORT 8 /* that are watched: as many SO_REUSEPORT listeners */

struct watched_key {
	__u32 netns; /* inode number */
	__u16 port;
	__u16 place; /* below LISTENERS_OF_PORT */
};

struct watched_listener {
	__u64 address;
	__u64 cookie;
	SOCKEYE_COUNTER __u64 drops; /* sk_drops when it was looked at last */
};

/* Only where settings.watches_listeners. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct watched_key);
	__type(value, struct watched_listener);
} watched_listeners SEC(".maps");

/* The listener as it can be read; 0: the socket of that address is no longer it. */
INLINE struct sock *watched_socket(struct watched_listener *watched)
{
	struct tcp_sock *tp = bpf_rdonly_cast((void *)watched->address, settings.tcp_sock_type);
	struct sock *sk = (struct sock *)tp;

	if ((__u64)sk->__sk_common.skc_cookie.counter != watched->cookie || sk->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	return sk;
}

INLINE struct watched_key watched_key_of(struct hook_call *call)
{
	struct watched_key key = {
		.netns = ((struct sock *)call->tp)->__sk_common.skc_net.net->ns.inum,
		.port = local_port(call->tp),
	};

	return key;
}

/* Where all places of its port are taken by others that still listen, it is not watched. */
INLINE void watch_at(struct watched_key *key, const struct watched_listener *watched)
{
	for (int i = 0; i < LISTENERS_OF_PORT; i++) {
		struct watched_listener *there;

		key->place = i;
		there = bpf_map_lookup_elem(&watched_listeners, key);
		if (there && there->cookie != watched->cookie && watched_socket(there))
			continue;
		if (bpf_map_update_elem(&watched_listeners, key, watched, BPF_ANY))
			break;
		return;
	}
	__sync_fetch_and_add(&counters.listeners_left_out, 1);
}

/* A socket listens. */
INLINE void watch_listener(struct hook_call *call)
{
	struct watched_listener watched = {};
	struct sock *sk = (struct sock *)call->tp;
	struct watched_key key;

	if (!settings.watches_listeners || !call->entry || call->entry->lacks_port)
		return;
	key = watched_key_of(call);
	watched.address = (__u64)call->sk;
	watched.cookie = call->cookie;
	watched.drops = (__u32)sk->sk_drops.counter;
	watch_at(&key, &watched);
}

/*
 * A child is born. Its listener may not have had a port when it began to listen: the child has it. None was dropped before
 * that, as a queue is only full where a child waits.
 */
INLINE void watch_listener_of(struct hook_call *call)
{
	struct watched_listener watched = {};
	struct sock_entry *parent;
	struct listener_ref *ref;
	struct watched_key key;

	if (!settings.watches_listeners || !settings.has_socket_storage)
		return;
	ref = bpf_sk_storage_get(&listener_in_socket, call->sk, 0, 0);
	parent = ref ? entry_of_listener(ref) : 0;
	if (!parent || !parent->lacks_port)
		return;
	parent->lacks_port = 0;
	key = watched_key_of(call);
	watched.address = ref->address;
	watched.cookie = ref->cookie;
	watch_at(&key, &watched);
}

/*
 * It listens no more, and leaves its place to the last of its port: behind a free place there are none. What is found is
 * counted, not asked: the verifier would follow each answer.
 */
INLINE void unwatch_listener(struct hook_call *call)
{
	struct watched_listener *watched;
	struct watched_key key, last;
	__u32 found = 0, place = 0;

	if (!settings.watches_listeners)
		return;
	key = last = watched_key_of(call);
	for (int i = 0; i < LISTENERS_OF_PORT; i++) {
		__u32 is_it;

		key.place = i;
		watched = bpf_map_lookup_elem(&watched_listeners, &key);
		if (!watched)
			break;
		is_it = filter_differs(watched->cookie ^ call->cookie) ^ 1;
		found += is_it;
		place += i * is_it;
		last.place = i;
	}
	watched = bpf_map_lookup_elem(&watched_listeners, &last);
	if (!found || !watched)
		return;
	key.place = place;
	bpf_map_update_elem(&watched_listeners, &key, watched, BPF_ANY);
	bpf_map_delete_elem(&watched_listeners, &last);
}

/* A packet that this listener has dropped is told of already: the next SYN is not to tell of it again. */
INLINE void drops_were_seen(struct sock_common *listener, struct socket_id *id)
{
	struct watched_key key = { .netns = id->netns, .port = listener->skc_num };

	for (int i = 0; i < LISTENERS_OF_PORT; i++) {
		struct watched_listener *watched;

		key.place = i;
		watched = bpf_map_lookup_elem(&watched_listeners, &key);
		if (!watched)
			return;
		if (watched->cookie == (__u64)listener->skc_cookie.counter)
			watched->drops = (__u32)readable_full(listener)->sk_drops.counter;
	}
}

#endif
