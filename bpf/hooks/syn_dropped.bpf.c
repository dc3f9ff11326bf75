/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook syn_dropped: a listener throws a SYN away. The kernel does not count that as a dropped packet:
 * tcp_conn_request() returns 0 in any case, and the SYN goes by consume_skb().
 */
#include "bpf/emit.h"
#include "bpf/listeners.h"
#include "bpf/packet.h"
#include "gen/handlers_syn_dropped.h"

/* On entry: with a full accept queue every SYN is dropped, whatever else happens to it (tcp_conn_request()). */
SEC("fentry/tcp_conn_request")
int BPF_PROG(syn_dropped__fentry, void *operations, void *family, struct sock *sk, struct sk_buff *skb)
{
	struct packet packet = { .packets = 1 };
	struct socket_id id = {};
	struct hook_call call = { .id = &id, .packet = &packet };

	read_receiver(&packet, &sk->__sk_common);
	if (!accept_queue_is_full(&packet) || !read_packet(&packet, &id, skb))
		return 0;
	call.entry = find_entry(sk, ENTRY_FIND);
	if (call.entry) {
		forget_departed_owner(call.entry, 1);
		call.cookie = call.entry->cookie;
		packet.last_accept_ns = call.entry->last_accept_ns;
	}
	id.netns_cookie = netns_cookie(sk->__sk_common.skc_net.net);
	id.netns = sk->__sk_common.skc_net.net->ns.inum;
	call.time_ns = bpf_ktime_get_boot_ns();
	handlers_syn_dropped(&call);
	return 0;
}

/* Of a listener whose count of drops has grown; `packets` is by how much. */
INLINE int has_dropped(struct watched_listener *watched, struct packet *packet)
{
	struct sock *sk = watched_socket(watched);
	__u32 odd = 0;
	__u64 drops;

	if (!sk)
		return 0;
	drops = (__u32)sk->sk_drops.counter;
	packet->packets = wrapped_between((__u32)__sync_lock_test_and_set(&watched->drops, drops), (__u32)drops, &odd);
	count_anomalies(odd);
	if (!packet->packets)
		return 0;
	read_receiver(packet, &sk->__sk_common);
	return 1;
}

/* 0: there is none, or it is another's by now. */
INLINE struct sock_entry *entry_of_watched(struct watched_listener *watched)
{
	struct sock_entry *entry = find_entry((void *)watched->address, ENTRY_FIND);

	if (!entry || entry->cookie != watched->cookie)
		return 0;
	forget_departed_owner(entry, 1);
	return entry;
}

/*
 * The end of what was made use of, a SYN that was dropped among it. Segments of a connection do not come here: TCP lets
 * them go by __kfree_skb().
 */
SEC("tp_btf/consume_skb")
int BPF_PROG(syn_dropped__consumed, struct sk_buff *skb)
{
	struct packet packet = {};
	struct socket_id id = {};
	struct hook_call call = { .id = &id, .packet = &packet };
	struct watched_key key = {};

	if (!was_received(skb) || !read_packet(&packet, &id, skb) ||
	    (packet.tcp_flags & (TCPHDR_SYN | TCPHDR_ACK)) != TCPHDR_SYN)
		return 0;
	read_netns_of_packet(&id, skb);
	key.netns = id.netns;
	key.port = id.lport;
	for (int i = 0; i < LISTENERS_OF_PORT; i++) {
		struct watched_listener *watched;

		key.place = i;
		watched = bpf_map_lookup_elem(&watched_listeners, &key);
		if (!watched)
			return 0; /* there are no others behind a free place */
		if (!has_dropped(watched, &packet))
			continue;
		id.role = ROLE_LISTENER;
		call.entry = entry_of_watched(watched);
		call.cookie = watched->cookie;
		call.time_ns = bpf_ktime_get_boot_ns();
		handlers_syn_dropped(&call);
		return 0;
	}
	return 0;
}
