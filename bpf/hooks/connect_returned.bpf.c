/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment connect_returned: connect() comes back with an error, in its process. Most failures show as a change of
 * state; those before the first one do not: no route, a rule that forbids it, an address that is none. Seen as a system
 * call the socket can only be read: there is no record, and the moment has its owner itself.
 */
#include "bpf/descriptor.h"
#include "bpf/emit.h"
#include "bpf/use.h"
#include "gen/handlers_connect_returned.h"

/* A struct sockaddr_in or sockaddr_in6, as far as it is of use here. */
struct asked_address {
	__u16 family;
	__be16 port;
	__be32 ipv4; /* IPv6: the flow label */
	__u8 ipv6[16];
};

/* Nothing of what is no internet address. */
INLINE void set_asked(struct moment *m, struct asked_address *asked)
{
	if (asked->family == FAMILY_IPV6)
		__builtin_memcpy(m->asked, asked->ipv6, sizeof(m->asked));
	else if (asked->family == FAMILY_IPV4)
		map_ipv4(m->asked, asked->ipv4);
	else
		return;
	m->asked_port = bpf_ntohs(asked->port);
}

/* The kernel's copy, whose size is that of any address; under lockdown=confidentiality it cannot be read. */
INLINE void read_asked(struct moment *m, const void *address)
{
	struct asked_address asked = {};

	if (settings.may_probe_read && !bpf_probe_read_kernel(&asked, sizeof(asked), address))
		set_asked(m, &asked);
}

/* The process's own: an address of IPv4 may be the last that it can read. */
INLINE void read_users_asked(struct moment *m, const void *address)
{
	struct asked_address asked = {};

	if (!bpf_probe_read_user(&asked, sizeof(asked), address) || !bpf_probe_read_user(&asked, 8, address))
		set_asked(m, &asked);
}

SEC("fexit/inet_stream_connect")
int BPF_PROG(connect_returned__fexit, struct socket *socket, void *address, int length, int flags, int result)
{
	struct sock *sk = socket->sk;
	struct moment m = {};

	if (result >= 0 || result < -255 || !sk || !open_use(&m, sk, OWNER_CONNECT, 1))
		return 0;
	m.error = (__u8)-result;
	read_asked(&m, address);
	handlers_connect_returned(&m);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(connect_returned__sys_exit, struct pt_regs *regs, long result)
{
	struct connect_call call = {};
	struct owner owner = {};
	struct moment m = {};
	struct sock *sk;

	if (result >= 0 || result < -255 || !read_connect_call(&call, regs) || !settings.tcp_sock_type)
		return 0;
	sk = socket_of_descriptor(call.descriptor);
	if (!sk || !is_tcp(sk))
		return 0;
	m.tp = readable_tcp(sk);
	m.sk = (struct sock *)m.tp;
	m.time_ns = bpf_ktime_get_boot_ns();
	m.cookie = (__u64)m.tp->inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter;
	m.error = (__u8)-result;
	read_current(&owner, OWNER_CONNECT);
	m.owner = &owner;
	read_users_asked(&m, call.address);
	handlers_connect_returned(&m);
	return 0;
}
