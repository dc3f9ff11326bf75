/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook syn_sent: a client's first SYN is about to be sent. The local port is known here, which it is not yet at
 * CLOSE->SYN_SENT. The same call as connect(), but for TCP_FASTOPEN_CONNECT, which comes here at the first send.
 */
#include "bpf/emit.h"
#include "gen/handlers_syn_sent.h"

INLINE int run_syn_sent(struct sock *sk, struct tcp_sock *tp)
{
	struct hook_call call = { .old_state = TCP_SYN_SENT, .new_state = TCP_SYN_SENT };

	call.sk = sk;
	call.tp = tp;
	call.time_ns = bpf_ktime_get_boot_ns();
	call.entry = find_entry(sk, ENTRY_FIND);
	if (!call.entry)
		return 0;
	call.cookie = call.entry->cookie;
	handlers_syn_sent(&call);
	return 0;
}

SEC("sockops")
int syn_sent__sockops(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk;
	struct tcp_sock *tp;

	if (ops->op != BPF_SOCK_OPS_TCP_CONNECT_CB)
		return 1;
	sk = ops->sk;
	if (!sk)
		return 1;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 1;
	run_syn_sent((struct sock *)tp, tp);
	return 1; /* the reply is left alone: 1 is "go on" */
}

SEC("fentry/tcp_connect")
int BPF_PROG(syn_sent__fentry, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp ? run_syn_sent(sk, tp) : 0;
}
