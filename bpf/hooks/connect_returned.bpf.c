/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook connect_returned: connect() comes back with an error, in its process. Most failures show as a change of
 * state; those before the first one do not: no route, a rule that forbids it, an address that is none. The socket knows no peer
 * then: the hook's id has what the process asked for. Seen as a system call the socket can only be read: there is no
 * entry, and the hook has its owner itself.
 */
#include "bpf/asked_address.h"
#include "bpf/fd_to_sock.h"
#include "bpf/emit.h"
#include "bpf/use.h"
#include "gen/handlers_connect_returned.h"

INLINE void fill_asked_ipv6(struct socket_id *id, struct asked_address *asked)
{
	__builtin_memcpy(id->raddr, asked->ipv6, sizeof(id->raddr));
	if (!id->scope_id && is_link_local(id->raddr))
		id->scope_id = asked->scope_id;
}

/* The kernel's copy, whose size is that of any address; under lockdown=confidentiality it cannot be read. */
INLINE void read_asked(struct asked_address *asked, const void *address)
{
	if (!settings.may_probe_read || bpf_probe_read_kernel(asked, sizeof(*asked), address))
		asked->family = 0;
}

/*
 * The socket as it would be. No peer where what was asked for is no internet address. That is on the stack no longer than
 * this takes: handlers need the room.
 */
INLINE void fill_asked_id(struct socket_id *id, struct hook_call *call, const void *address, int is_users)
{
	struct asked_address read = {}, *asked = &read;

	if (is_users)
		read_users_asked(asked, address);
	else
		read_asked(asked, address);
	read_call_id(id, call);
	__builtin_memset(id->raddr, 0, sizeof(id->raddr));
	id->rport = 0;
	id->role = ROLE_CLIENT;
	call->role = ROLE_CLIENT;
	call->id = id;
	if (asked->family == AF_INET6)
		fill_asked_ipv6(id, asked);
	else if (asked->family == AF_INET)
		map_ipv4(id->raddr, asked->ipv4);
	else
		return;
	id->rport = bpf_ntohs(asked->port);
}

SEC("fexit/inet_stream_connect")
int BPF_PROG(connect_returned__fexit, struct socket *socket, void *address, int length, int flags, int result)
{
	struct sock *sk = socket->sk;
	struct socket_id id = {};
	struct hook_call call = {};

	if (result >= 0 || result < -255 || !sk || !open_use(&call, sk, OWNER_CONNECT))
		return 0;
	stamp_call(&call);
	call.error = (__u8)-result;
	fill_asked_id(&id, &call, address, 0);
	handlers_connect_returned(&call);
	return 0;
}

/* Of the hook, whose program does not interrupt itself: the stack has no room for it beside the filters. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct owner);
} connect_returned_owner SEC(".maps");

SEC("tp_btf/sys_exit")
int BPF_PROG(connect_returned__sys_exit, struct pt_regs *regs, long result)
{
	struct connect_call asked = {};
	struct socket_id id = {};
	struct hook_call call = {};
	struct sock *sk;
	__u32 zero = 0;

	if (result >= 0 || result < -255 || !read_connect_call(&asked, regs) || !settings.tcp_sock_type)
		return 0;
	sk = socket_of_descriptor(asked.descriptor);
	if (!sk || !is_tcp(sk))
		return 0;
	call.tp = readable_tcp(sk);
	if (call.tp->inet_conn.icsk_inet.sk.sk_protocol != IPPROTO_TCP)
		return 0; /* an MPTCP connection: its subflows are told */
	call.sk = (struct sock *)call.tp;
	call.time_ns = bpf_ktime_get_boot_ns();
	call.cookie = (__u64)call.tp->inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter;
	call.error = (__u8)-result;
	call.owner = bpf_map_lookup_elem(&connect_returned_owner, &zero);
	if (!call.owner)
		return 0;
	read_current(call.owner, OWNER_CONNECT);
	fill_asked_id(&id, &call, asked.address, 1);
	handlers_connect_returned(&call);
	return 0;
}
