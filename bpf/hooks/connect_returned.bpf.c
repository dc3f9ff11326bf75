/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment connect_returned: connect() comes back with an error, in its process. Most failures show as a change of
 * state; those before the first one do not: no route, a rule that forbids it, an address that is none.
 */
#include "bpf/emit.h"
#include "bpf/use.h"
#include "gen/handlers_connect_returned.h"

/* A struct sockaddr_in or sockaddr_in6 of the kernel, as its members are of use here. */
struct asked_address {
	__u16 family;
	__be16 port;
	__be32 ipv4; /* IPv6: the flow label */
	__u8 ipv6[16];
};

/* Where to the process asked for, into the moment; nothing of what is no internet address. */
INLINE void read_asked(struct moment *m, const void *address, int length)
{
	struct asked_address asked = {};

	if (!settings.may_probe_read || length < 8 ||
	    bpf_probe_read_kernel(&asked, length < sizeof(asked) ? 8 : sizeof(asked), address))
		return;
	m->asked_port = bpf_ntohs(asked.port);
	if (asked.family == FAMILY_IPV6)
		__builtin_memcpy(m->asked, asked.ipv6, sizeof(m->asked));
	else if (asked.family == FAMILY_IPV4)
		map_ipv4(m->asked, asked.ipv4);
}

SEC("fexit/inet_stream_connect")
int BPF_PROG(connect_returned__fexit, struct socket *socket, void *address, int length, int flags, int result)
{
	struct sock *sk = socket->sk;
	struct moment m = {};

	if (result >= 0 || result < -255 || !sk || !open_use(&m, sk, OWNER_CONNECT, 1))
		return 0;
	m.error = (__u8)-result;
	read_asked(&m, address, length);
	handlers_connect_returned(&m);
	return 0;
}
