/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 1: what is read of a packet of TCP or UDP that the kernel holds (struct sk_buff). Its bytes have no type that the
 * verifier knows: they are read through bpf_rdonly_cast() (6.2), or by probe reads, which lockdown=confidentiality
 * forbids. Both give zeros, or nothing, where an address is bad.
 */
#ifndef SOCKEYE_BPF_PACKET_H
#define SOCKEYE_BPF_PACKET_H

#include "bpf/read_sock.h"

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

/* packet.tcp_flags, as in the header (RFC 9293, section 3.1) */
#define TCPHDR_FIN 0x01
#define TCPHDR_SYN 0x02
#define TCPHDR_RST 0x04
#define TCPHDR_ACK 0x10

/* packet.flags */
#define PACKET_HAS_TCP_HEADER 1 /* tcp_flags and sequence are those of the packet */
#define PACKET_OF_LISTENER 2    /* it came to a listener: backlog and backlog_limit are those of its accept queue */

/* What was found out about one packet, and about the socket that it was for. */
struct packet {
	__u64 location;       /* code address of who dropped it; 0: not told */
	__u64 last_accept_ns; /* of a listener: when a connection was last accepted, CLOCK_BOOTTIME; 0: not seen */
	__u32 reason;         /* as the kernel numbers it; 0: it gives none */
	__u32 length;         /* bytes, as they count at the layer that dropped it; 0: there is no packet */
	__u32 sequence;
	__u32 backlog;       /* connections that wait for accept() */
	__u32 backlog_limit; /* of listen(); one more may wait */
	__u32 packets;       /* how many it stands for */
	__u8 protocol;       /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 tcp_flags;
	__u8 is_output;  /* this machine sends it */
	__u8 flags;      /* PACKET_* */
	__u8 state;      /* that of the TCP socket; 0: none is known */
	__u8 tcp_header; /* bytes, with its options; 0: it was not read */
	__u8 _pad[2];
};

struct header_words {
	__u32 word[4];
};

/* Whether packets can be read on this kernel. */
INLINE int may_read_packets(void)
{
	return settings.in6_addr_type || settings.may_probe_read;
}

/* Sixteen bytes of memory that is only an address; 0: they cannot be read here. */
INLINE int read_words(struct header_words *to, __u64 address)
{
	if (settings.in6_addr_type) {
		struct in6_addr *words = bpf_rdonly_cast((void *)address, settings.in6_addr_type);

		to->word[0] = words->in6_u.u6_addr32[0];
		to->word[1] = words->in6_u.u6_addr32[1];
		to->word[2] = words->in6_u.u6_addr32[2];
		to->word[3] = words->in6_u.u6_addr32[3];
		return 1;
	}
	return settings.may_probe_read && !bpf_probe_read_kernel(to, sizeof(*to), (void *)address);
}

INLINE __u8 header_byte(struct header_words *words, __u32 at)
{
	return ((__u8 *)words)[at];
}

INLINE __u16 header_short(struct header_words *words, __u32 at)
{
	return bpf_ntohs(((__u16 *)words)[at / 2]);
}

INLINE void put_address(__u8 *to, struct header_words *from)
{
	struct header_words *words = (void *)to;

	*words = *from;
}

/* The ports, and of TCP what else is of use. `at`: where the header begins, counted from `head`. */
INLINE void read_transport(struct packet *packet, struct socket_id *id, __u64 head, __u32 at, __u32 end)
{
	__u32 size = packet->protocol == IPPROTO_TCP ? 16 : 8; /* of the header: what is looked at */
	struct header_words words;

	if (at + size > end || !read_words(&words, head + at))
		return;
	if (packet->is_output) {
		id->lport = header_short(&words, 0);
		id->rport = header_short(&words, 2);
	} else {
		id->lport = header_short(&words, 2);
		id->rport = header_short(&words, 0);
	}
	if (packet->protocol != IPPROTO_TCP)
		return;
	packet->sequence = bpf_ntohl(words.word[1]);
	packet->tcp_header = (header_byte(&words, 12) >> 4) * 4;
	packet->tcp_flags = header_byte(&words, 13);
	packet->flags |= PACKET_HAS_TCP_HEADER;
}

/* RFC 791. A fragment but the first has no header of TCP or UDP. */
INLINE int read_ipv4(struct packet *packet, struct socket_id *id, __u64 head, __u32 at, __u32 end)
{
	struct header_words words, second;
	__u32 size;

	if (at + 20 > end || !read_words(&words, head + at) || !read_words(&second, head + at + 4))
		return 0;
	size = (header_byte(&words, 0) & 15) * 4;
	packet->protocol = header_byte(&words, 9);
	if (header_byte(&words, 0) >> 4 != 4 || size < 20 ||
	    (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP))
		return 0;
	id->family = AF_INET;
	if (packet->is_output) {
		map_ipv4(id->laddr, words.word[3]);
		map_ipv4(id->raddr, second.word[3]);
	} else {
		map_ipv4(id->raddr, words.word[3]);
		map_ipv4(id->laddr, second.word[3]);
	}
	if (!(header_short(&words, 6) & 0x1fff))
		read_transport(packet, id, head, at + size, end);
	return 1;
}

#define NEXTHDR_HOP 0
#define NEXTHDR_ROUTING 43
#define NEXTHDR_FRAGMENT 44
#define NEXTHDR_AUTH 51
#define NEXTHDR_DEST 60
#define MOST_EXTENSIONS 4 /* that are followed: packets with more are not seen */

/* Where the extension header of kind `next` ends (RFC 8200, section 4; RFC 4302, section 2.2); 0: it is none. */
INLINE __u32 end_of_extension(__u8 next, struct header_words *words, __u32 at)
{
	if (next == NEXTHDR_HOP || next == NEXTHDR_ROUTING || next == NEXTHDR_DEST)
		return at + (header_byte(words, 1) + 1) * 8;
	if (next == NEXTHDR_FRAGMENT)
		return at + 8;
	return next == NEXTHDR_AUTH ? at + (header_byte(words, 1) + 2) * 4 : 0;
}

/* Index of the device that a packet came in by, else of the one that it goes out by; 0: not known (any more). */
INLINE __u32 device_of(struct sk_buff *skb)
{
	struct net_device *device = skb->dev;

	if (skb->skb_iif)
		return (__u32)skb->skb_iif;
	return device && is_address(device) ? (__u32)device->ifindex : 0;
}

/* RFC 8200. */
INLINE int read_ipv6(struct packet *packet, struct socket_id *id, struct sk_buff *skb, __u64 head, __u32 at, __u32 end)
{
	/* Once, before the ways part: at each pointer that is read the verifier looks through all types of the kernel. */
	__u32 device = device_of(skb);
	struct header_words words, source, destination;
	int has_transport = 1;
	__u8 next;

	if (at + 40 > end || !read_words(&words, head + at) || !read_words(&source, head + at + 8) ||
	    !read_words(&destination, head + at + 24) || header_byte(&words, 0) >> 4 != 6)
		return 0;
	next = header_byte(&words, 6);
	at += 40;
	for (int i = 0; i < MOST_EXTENSIONS; i++) {
		__u32 behind;

		if (next == IPPROTO_TCP || next == IPPROTO_UDP)
			break;
		if (at + 8 > end || !read_words(&words, head + at))
			return 0;
		behind = end_of_extension(next, &words, at);
		if (!behind)
			return 0;
		if (next == NEXTHDR_FRAGMENT && header_short(&words, 2) >> 3)
			has_transport = 0;
		next = header_byte(&words, 0);
		at = behind;
		if (!has_transport)
			break;
	}
	forget_number(next);
	forget_number(at);
	packet->protocol = next;
	if (next != IPPROTO_TCP && next != IPPROTO_UDP)
		return 0;
	id->family = AF_INET6;
	if (packet->is_output) {
		put_address(id->laddr, &source);
		put_address(id->raddr, &destination);
	} else {
		put_address(id->raddr, &source);
		put_address(id->laddr, &destination);
	}
	id->scope_id = has_scope(id) ? device : 0;
	forget_values(id, sizeof(*id));
	if (has_transport)
		read_transport(packet, id, head, at, end);
	return 1;
}

/*
 * The addresses and ports of a packet of TCP or UDP, the local end being its source where packet->is_output; 0: it is
 * none, or cannot be read. network_header and tail are counted from head (NET_SKBUFF_DATA_USES_OFFSET: 64 bits).
 */
INLINE int read_packet(struct packet *packet, struct socket_id *id, struct sk_buff *skb)
{
	__u64 head = (__u64)skb->head;
	__u32 at = skb->network_header, end = skb->tail;
	__u16 ethertype = bpf_ntohs(skb->protocol);

	packet->length = skb->len;
	if (ethertype == ETH_P_IP)
		return read_ipv4(packet, id, head, at, end);
	return ethertype == ETH_P_IPV6 && read_ipv6(packet, id, skb, head, at, end);
}

#define PACKET_OUTGOING 4 /* <linux/if_packet.h> */

/*
 * Of a packet whose socket is none of a connection: whether it is a copy in the receive queue of that socket, a tap
 * (AF_PACKET) or a raw one. Queues take the device off; a tap's copy of what is sent is marked (dev_queue_xmit_nit()).
 * Else that socket sent it.
 */
INLINE int is_queued_copy(struct sk_buff *skb)
{
	return BPF_CORE_READ_BITFIELD(skb, pkt_type) == PACKET_OUTGOING || (skb->skb_iif && !skb->dev);
}

/* Whether the stack has taken it in (__netif_receive_skb_core() notes the device): else it is on its way out. */
INLINE int was_received(struct sk_buff *skb)
{
	return skb->skb_iif != 0;
}

/* The lowest bit says that the route is not held (SKB_DST_NOREF). */
INLINE void read_netns_of_route(struct socket_id *id, struct sk_buff *skb)
{
	__u64 address = skb->_skb_refdst & ~1ull;
	struct dst_entry *route;
	struct net *net;

	if (!address)
		return;
	if (dst_entry_type) {
		route = bpf_rdonly_cast((void *)address, dst_entry_type);
		net = route->dev->nd_net.net;
		if (!net)
			return;
		id->netns_cookie = netns_cookie(net);
		id->netns = net->ns.inum;
	} else if (settings.may_probe_read) {
		route = (void *)address;
		id->netns = BPF_CORE_READ(route, dev, nd_net.net, ns.inum);
	}
}

/*
 * The namespace of the device that a packet is at, for packets without a socket; where TCP has taken the device off
 * (tcp_v4_rcv()), that of its route. In a UDP socket's queue the device is overwritten with numbers
 * (udp_set_dev_scratch()): there the namespace stays unknown.
 */
INLINE void read_netns_of_packet(struct socket_id *id, struct sk_buff *skb)
{
	struct net_device *device = skb->dev;
	struct net *net;

	if (!device)
		read_netns_of_route(id, skb);
	if (!device || !is_address(device))
		return;
	net = device->nd_net.net;
	id->netns_cookie = netns_cookie(net);
	id->netns = net->ns.inum;
}

/* What TCP notes of a segment. */
INLINE struct tcp_skb_cb *control_block(struct sk_buff *skb)
{
	return (struct tcp_skb_cb *)&skb->cb[0];
}

/* No minisocket and no request socket. */
INLINE int is_full_socket(struct sock_common *common)
{
	return common->skc_state != TCP_TIME_WAIT && common->skc_state != TCP_NEW_SYN_RECV;
}

/* A full socket of any protocol, to read what struct sock has. Where there are casts, only `common` of it was typed. */
INLINE struct sock *readable_full(struct sock_common *full)
{
	if (settings.tcp_sock_type)
		return (struct sock *)bpf_rdonly_cast(full, settings.tcp_sock_type);
	return (struct sock *)full;
}

/* What the socket that a packet was for tells of it, a full one. */
INLINE void read_receiver(struct packet *packet, struct sock_common *full)
{
	struct sock *sk = readable_full(full);

	if (!is_tcp_socket(sk))
		return;
	packet->state = full->skc_state;
	if (full->skc_state != TCP_LISTEN)
		return;
	packet->backlog = sk->sk_ack_backlog;
	packet->backlog_limit = sk->sk_max_ack_backlog;
	packet->flags |= PACKET_OF_LISTENER;
}

/* The condition of sk_acceptq_is_full(). */
INLINE int accept_queue_is_full(struct packet *packet)
{
	return (packet->flags & PACKET_OF_LISTENER) && packet->backlog > packet->backlog_limit;
}

#endif
