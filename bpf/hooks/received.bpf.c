/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The moment received: a process has received from a TCP socket, in its own context. The best proof of who uses a socket. */
#include "bpf/emit.h"
#include "bpf/owner_by_cookie.h"
#include "gen/handlers_received.h"

INLINE int run_received(struct sock *sk)
{
	struct moment m = {};
	struct tcp_sock *tp;

	if (sk->sk_protocol != TCP_PROTOCOL) {
		if (sk->sk_protocol == MPTCP_PROTOCOL)
			connection_touched(sk, OWNER_USE);
		return 0;
	}
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	open_moment(&m, tp, 1, 0);
	if (m.record)
		owner_touches(m.record, tp, OWNER_USE);
	handlers_received(&m);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(received__tp_btf, struct sock *sk)
{
	return run_received(sk);
}

SEC("fexit/tcp_recvmsg")
int BPF_PROG(received__fexit, struct sock *sk)
{
	return run_received(sk);
}
