/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook reset_sent: the kernel sends a RST, for a socket (close() with unread data, SO_LINGER 0, ...) or as the
 * answer to a packet (tcp_v4_send_reset()). Until 6.9 the latter is told only where the packet had a socket; from 6.10 on
 * a reason is given, and the socket, the packet, or both, may be missing.
 */
#include "bpf/emit.h"
#include "bpf/nested.h"
#include "bpf/packet.h"
#include "gen/handlers_reset_sent.h"

NESTED_NOTES(reset_sent_notes);

/* The ends are those of the packet that is answered; the rest of what was read is none of the RST. */
INLINE int read_answered(struct packet *packet, struct socket_id *id, struct sk_buff *answered)
{
	if (!read_packet(packet, id, answered) || packet->protocol != IPPROTO_TCP)
		return 0;
	read_netns_of_packet(id, answered);
	packet->flags = 0;
	packet->length = 0;
	packet->sequence = 0;
	packet->tcp_flags = 0;
	return 1;
}

INLINE int run_reset_sent(struct sock *sk, struct sk_buff *answered, __u32 reason)
{
	struct packet packet = { .reason = reason, .protocol = IPPROTO_TCP, .packets = 1 };
	struct socket_id id = {};
	struct hook_call call = { .id = &id, .packet = &packet };
	struct sock_entry *entry = 0;
	struct sock_common *common = 0;

	if (sk) {
		common = readable_socket(&sk->__sk_common);
		entry = own_entry(find_entry(sk, ENTRY_FIND), common);
	}
	if (entry) {
		forget_departed_owner(entry, is_socket_held(common));
		call.cookie = entry->cookie;
	}
	if (common && is_full_socket(common) && common->skc_state != TCP_LISTEN) {
		struct tcp_sock *tp = readable_tcp((struct sock *)common);

		if (!tp || !is_tcp_socket(readable_full(common)))
			return 0;
		read_socket_id(&id, (struct sock *)tp, tp);
		packet.state = common->skc_state;
		call.entry = entry;
	} else if (answered) {
		if (!read_answered(&packet, &id, answered))
			return 0;
		if (common && common->skc_state == TCP_LISTEN)
			call.entry = entry;
	} else {
		return 0;
	}
	packet.is_output = 1;
	call.time_ns = bpf_ktime_get_boot_ns();
	handlers_reset_sent(&call);
	return 0;
}

/* Until 6.9 the packet of an active reset is the RST itself: there the socket tells all. */
INLINE int run_by_arguments(unsigned long long *ctx, struct sock *sk, struct sk_buff *skb)
{
	if (settings.reset_arguments >= 3)
		return run_reset_sent(sk, skb, (__u32)ctx[2]);
	return run_reset_sent(sk, skb, 0);
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(reset_sent__tp_btf, struct sock *sk, struct sk_buff *skb)
{
	run_by_arguments(ctx, sk, skb);
	leave_nested_note(&reset_sent_notes, sk ? (__u64)sk : (__u64)skb);
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(reset_sent__tp_btf__twin, struct sock *sk, struct sk_buff *skb)
{
	if (take_nested_note(&reset_sent_notes, sk ? (__u64)sk : (__u64)skb))
		return 0;
	__sync_fetch_and_add(&counters.rescued, 1);
	return run_by_arguments(ctx, sk, skb);
}
