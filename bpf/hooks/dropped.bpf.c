/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook dropped: the kernel throws a packet of TCP or UDP away (kfree_skb; what ends well goes by consume_skb). From
 * 5.17 on it says why, from 6.11 on also for which socket.
 */
#include "bpf/datagram.h"
#include "bpf/emit.h"
#include "bpf/listeners.h"
#include "bpf/nested.h"
#include "bpf/packet.h"
#include "gen/handlers_dropped.h"

NESTED_NOTES(dropped_notes);

INLINE int is_in(__u64 location, const volatile struct code_range *code)
{
	return location >= code->from && location < code->to;
}

/*
 * A FIN without data waits in the receive queue, its header taken off (tcp_fin(), tcp_queue_rcv()), until somebody reads as
 * far or closes: nothing of it is lost. A packet that comes to be looked at still has its header.
 */
INLINE int is_read_fin(struct packet *packet)
{
	return (packet->flags & PACKET_HAS_TCP_HEADER) && !packet->length;
}

/*
 * An acknowledgement without data, on a connection that one end has shut down: what it says has been taken in, and it ends
 * as all packets do that the state machine does not queue (discard of tcp_rcv_state_process()). All that TCP looks at of
 * it is its header.
 */
INLINE int is_taken_acknowledgement(struct packet *packet, struct sock_common *common)
{
	const __u32 shut =
		1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSE_WAIT | 1 << TCP_CLOSING | 1 << TCP_LAST_ACK;

	if ((packet->tcp_flags & (TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST)) || !packet->tcp_header ||
	    packet->length != packet->tcp_header)
		return 0;
	return common ? shut >> (common->skc_state & 31) & 1 : is_in(packet->location, &tcp_receive.states);
}

/*
 * Whether this code hands copies of packets to taps and raw sockets, where the kernel does not say for which socket it was. Without
 * branches: the verifier would follow each.
 */
INLINE int is_copy_code(__u64 location)
{
	__u64 outside = 1;

	for (int i = 0; i < COPY_FUNCTIONS; i++)
		outside &= filter_sign((location - copies.functions[i].from) | (copies.functions[i].to - 1 - location));
	return settings.drop_arguments < 4 && !outside;
}

/*
 * The FIN of a peer that a TIME_WAIT or FIN_WAIT2 minisocket has acknowledged ends here as well, without a reason
 * (discard_it of tcp_v4_rcv()): it did what it came for. Where the kernel does not say for which socket it was, each FIN
 * that ends there is taken for one.
 */
INLINE int is_no_loss(struct packet *packet, struct sock_common *common)
{
	if (is_read_fin(packet))
		return 1;
	if (packet->reason != settings.reason_not_specified)
		return 0;
	if (is_taken_acknowledgement(packet, common))
		return 1;
	if (common)
		return common->skc_state == TCP_TIME_WAIT;
	return settings.drop_arguments < 4 && (packet->tcp_flags & TCPHDR_FIN) &&
	       (is_in(packet->location, &tcp_receive.ipv4) || is_in(packet->location, &tcp_receive.ipv6));
}

/*
 * What the socket tells: any its namespace, a full one of TCP or UDP whose it is, and all there is where the packet cannot
 * be read. What another one sends (AF_PACKET, a raw one, the kernel's for resets) tells of no connection.
 */
INLINE int read_socket_of(struct hook_call *call, struct sock_common *common, int has_packet)
{
	struct packet *packet = call->packet;
	int is_tcp, is_udp;

	call->cookie = (__u64)common->skc_cookie.counter;
	call->id->netns_cookie = netns_cookie(readable_socket(common)->skc_net.net);
	call->id->netns = readable_socket(common)->skc_net.net->ns.inum;
	is_tcp = is_full_socket(common) && is_tcp_socket(readable_full(common));
	is_udp = is_full_socket(common) && is_udp_socket(readable_full(common));
	if (!is_tcp && !is_udp) {
		call->owner = 0;
		return has_packet;
	}
	read_receiver(packet, common);
	if (!has_packet) {
		packet->protocol = is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
		read_mini_id(call->id, common);
	}
	if (is_tcp)
		call->entry = own_entry(find_entry(common, ENTRY_FIND), common);
	if (call->entry) {
		forget_departed_owner(call->entry, is_socket_held(common));
		call->cookie = call->entry->cookie;
		packet->last_accept_ns = call->entry->last_accept_ns;
	}
	if (settings.watches_listeners && (packet->flags & PACKET_OF_LISTENER))
		drops_were_seen(common, call->id);
	return 1;
}

/* Of what is dropped for it, no connection loses anything: a tap (AF_PACKET), a raw socket, one that pings. */
INLINE int takes_copies(struct sock_common *common)
{
	struct sock *sk;

	if (!is_full_socket(common))
		return 0;
	sk = readable_full(common);
	return !is_tcp_socket(sk) && !is_udp_socket(sk) && !is_mptcp_connection(sk);
}

/*
 * Over a veth link a packet takes the socket along that sent it, up to ip_rcv(), into another namespace: what is dropped
 * before that was not for this socket.
 */
INLINE int is_senders(struct sock_common *common, struct socket_id *id)
{
	return takes_copies(common) || (common->skc_num == id->rport && common->skc_num != id->lport);
}

/*
 * The socket that a packet was for (`receiver`), else the one that it has with it, and that socket's owner; 0: none. Not
 * to be told: the packet is a copy.
 */
INLINE int find_socket(struct hook_call *call, struct sock_common **found, struct sk_buff *skb, struct sock *receiver)
{
	struct sock_common *common;
	struct sock *sk;

	if (receiver) {
		*found = readable_socket(&receiver->__sk_common);
		call->owner = living_datagram_owner(receiver);
		return !takes_copies(*found);
	}
	if (is_copy_code(call->packet->location))
		return 0;
	/* In fragments that wait for others ip_defrag_offset, a number, is in its place. */
	sk = skb->sk;
	if (!sk || !is_address(sk))
		return 1;
	common = readable_socket(&sk->__sk_common);
	if (takes_copies(common) && is_queued_copy(skb))
		return 0;
	if (call->packet->is_output || !is_senders(common, call->id)) {
		*found = common;
		call->owner = living_datagram_owner(sk);
	}
	return 1;
}

INLINE int run_dropped(unsigned long long *ctx, struct sk_buff *skb, __u64 location)
{
	struct packet packet = { .location = location, .packets = 1 };
	struct socket_id id = {};
	struct hook_call call = { .id = &id, .packet = &packet };
	struct sock_common *common = 0;
	struct sock *receiver = 0;
	int has_packet;

	if (settings.drop_arguments >= 3)
		packet.reason = (__u32)ctx[2];
	if (settings.drop_arguments >= 4)
		receiver = (struct sock *)ctx[3];
	packet.is_output = !receiver && !was_received(skb);
	has_packet = read_packet(&packet, &id, skb);
	if (!has_packet && may_read_packets())
		return 0;
	if (!find_socket(&call, &common, skb, receiver))
		return 0;
	if ((!common && !has_packet) || is_no_loss(&packet, common))
		return 0;
	if (common) {
		if (!read_socket_of(&call, common, has_packet))
			return 0;
	} else {
		read_netns_of_packet(&id, skb);
	}
	forget_values(&id, sizeof(id));
	forget_values(&packet, sizeof(packet));
	call.time_ns = bpf_ktime_get_boot_ns();
	handlers_dropped(&call);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(dropped__tp_btf, struct sk_buff *skb, void *location)
{
	run_dropped(ctx, skb, (__u64)location);
	leave_nested_note(&dropped_notes, (__u64)skb);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(dropped__tp_btf__twin, struct sk_buff *skb, void *location)
{
	if (take_nested_note(&dropped_notes, (__u64)skb))
		return 0;
	__sync_fetch_and_add(&counters.rescued, 1);
	return run_dropped(ctx, skb, (__u64)location);
}
