/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 1: what is read from a socket. Direct reads through BTF pointers only, so that it loads under any lockdown. */
#ifndef SOCKEYE_BPF_READ_SOCK_H
#define SOCKEYE_BPF_READ_SOCK_H

#include "bpf/compat.h"

#define SOCK_STREAM 1 /* <linux/net.h> */
#define SOCK_DGRAM 2
/* Bits of sk_flags (enum sock_flags of <net/sock.h>): the process has let go of it, the peer's FIN was seen (tcp_fin()) */
#define SOCK_DEAD 0
#define SOCK_DONE 1
#define SHUTDOWN_MASK 3 /* <net/sock.h> */

/* The protocol's number alone says little: 6 is also NETLINK_XFRM, and that of a raw socket for TCP. */
INLINE int is_internet_socket(const struct sock *sk, __u16 type)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6) && sk->sk_type == type;
}

/* Of a full socket. */
INLINE int is_tcp_socket(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && is_internet_socket(sk, SOCK_STREAM);
}

/* The connection above its subflows, which are TCP sockets. */
INLINE int is_mptcp_connection(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_MPTCP && is_internet_socket(sk, SOCK_STREAM);
}

INLINE int is_udp_socket(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_UDP && is_internet_socket(sk, SOCK_DGRAM);
}

/* 0: it has none; or it has given it back just now (inet_put_port()), as it goes to CLOSE. */
INLINE __u16 bound_port(struct tcp_sock *tp)
{
	return tp->inet_conn.icsk_inet.sk.__sk_common.skc_num;
}

/*
 * The port, or that which it had last: inet_sport keeps it when the socket has given it back. So it is no answer for one
 * that begins to connect or to listen: call_port().
 */
INLINE __u16 local_port(struct tcp_sock *tp)
{
	__u16 port = bound_port(tp);

	return port ? port : bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
}

INLINE __u16 remote_port(struct tcp_sock *tp)
{
	return bpf_ntohs(tp->inet_conn.icsk_inet.sk.__sk_common.skc_dport);
}

/* IPv4 as ::ffff:a.b.c.d: in memory 80 zero bits, 16 one bits, the address; the second u64 on little endian. */
INLINE void map_ipv4(__u8 *to, __be32 address)
{
	__u32 *words = (__u32 *)to;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = address;
}

INLINE void copy_ipv6(__u8 *to, struct in6_addr *from)
{
	__u32 *words = (__u32 *)to;

	words[0] = from->in6_u.u6_addr32[0];
	words[1] = from->in6_u.u6_addr32[1];
	words[2] = from->in6_u.u6_addr32[2];
	words[3] = from->in6_u.u6_addr32[3];
}

/* 0.0.0.0 as it is mapped, of an IPv4 or IPv6 socket, and ::. */
INLINE int is_any_address(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return !words[0] && !words[1] && (!words[2] || words[2] == bpf_htonl(0xffff)) && !words[3];
}

/* fe80::/10 of RFC 4291: the same address may be on every link. */
INLINE int is_link_local(const __u8 *address)
{
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

INLINE int has_scope(struct socket_id *id)
{
	return is_link_local(id->laddr) || is_link_local(id->raddr);
}

/* What full sockets, minisockets and request sockets have in common. */
INLINE void read_addresses(struct socket_id *id, struct sock_common *common)
{
	struct net *net = readable_socket(common)->skc_net.net;

	id->netns_cookie = netns_cookie(net);
	id->netns = net->ns.inum;
	id->family = (__u8)common->skc_family;
	if (common->skc_family == AF_INET6) {
		copy_ipv6(id->laddr, &common->skc_v6_rcv_saddr);
		copy_ipv6(id->raddr, &common->skc_v6_daddr);
		id->scope_id = has_scope(id) ? (__u32)common->skc_bound_dev_if : 0;
	} else {
		map_ipv4(id->laddr, common->skc_rcv_saddr);
		map_ipv4(id->raddr, common->skc_daddr);
	}
}

/* The TCP state that a minisocket or a request socket stands for: a minisocket says TIME_WAIT of itself in any case. */
INLINE __u8 state_of_mini(struct sock_common *mini)
{
	struct tcp_timewait_sock *tw;

	if (mini->skc_state != TCP_TIME_WAIT)
		return mini->skc_state;
	tw = bpf_skc_to_tcp_timewait_sock(mini);
	return tw ? tw->tw_sk.tw_substate : TCP_TIME_WAIT;
}

/* A TIME_WAIT or FIN_WAIT2 minisocket, or a request socket: in all of them skc_num is the local port. */
INLINE void read_mini_id(struct socket_id *id, struct sock_common *mini)
{
	read_addresses(id, mini);
	id->lport = mini->skc_num;
	id->rport = bpf_ntohs(mini->skc_dport);
}

INLINE void read_socket_id(struct socket_id *id, struct sock *sk, struct tcp_sock *tp)
{
	read_addresses(id, &sk->__sk_common);
	id->lport = local_port(tp);
	id->rport = bpf_ntohs(sk->__sk_common.skc_dport);
	id->flags = is_mptcp_subflow(tp) ? SOCKET_MPTCP : 0;
}

/*
 * State changes happen under the socket's lock. Where a process holds it (lock_sock() sets sk_lock.owned), packets of
 * this socket wait in its backlog, so the task that runs is the one that holds the lock: a process using this socket,
 * or one looking at it. Where it is not set, softirq work holds the spinlock and the current task is whoever was there.
 */
INLINE int locked_by_current(struct sock *sk)
{
	return sk->sk_lock.owned != 0;
}

/* TCP_REPAIR: the socket is taken apart or put together (CRIU), and what is done to it makes no packets. */
INLINE int is_in_repair(struct tcp_sock *tp)
{
	return BPF_CORE_READ_BITFIELD(tp, repair) != 0;
}

/*
 * A socket that no process has a descriptor of (NFS, CIFS, RDS). The flag alone does not say it: the TCP sockets under an
 * MPTCP one have it, and so have, until accepted, the children of an MPTCP listener whose clients speak plain TCP.
 */
INLINE int is_kernel_socket(struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;
	struct socket *socket;

	if (!BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) || is_mptcp_subflow(tp))
		return 0;
	socket = sk->sk_socket;
	return !socket || !socket->file;
}

/* The socket cookie, given at first asking; 0 where tracing programs cannot ask and nobody else has. */
INLINE __u64 socket_cookie(struct sock_common *common)
{
	__u64 cookie = (__u64)common->skc_cookie.counter;

	if (!cookie && settings.has_socket_cookie)
		cookie = bpf_get_socket_cookie(common);
	return cookie;
}

#endif
