/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook received: a process has received from a TCP socket, in its own context. The best proof of who uses a socket.
 * Told of a process's first use (bpf/last_use.h), now and then of others.
 */
#include "bpf/emit.h"
#include "bpf/use.h"
#include "gen/handlers_received.h"

INLINE int run_received(struct sock *sk)
{
	struct hook_call call = {};

	if (open_use(&call, sk, OWNER_USE))
		handlers_received(&call);
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
