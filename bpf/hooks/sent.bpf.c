/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook sent: a process has sent on a TCP socket, in its own context. The best proof of who uses a socket. Told of a
 * process's first use (bpf/last_use.h), now and then of others.
 */
#include "bpf/emit.h"
#include "bpf/use.h"
#include "gen/handlers_sent.h"

INLINE int run_sent(struct sock *sk)
{
	struct hook_call call = {};

	if (open_use(&call, sk, OWNER_USE))
		handlers_sent(&call);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(sent__tp_btf, struct sock *sk)
{
	return run_sent(sk);
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(sent__fexit, struct sock *sk)
{
	return run_sent(sk);
}
