/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment syn_sent: a client's first SYN is about to be sent. The local port is known here, which it is not yet at
 * CLOSE->SYN_SENT. The same call as connect(), but for TCP_FASTOPEN_CONNECT, which comes here at the first send.
 */
#include "bpf/emit.h"
#include "gen/handlers_syn_sent.h"

INLINE int run_syn_sent(struct sock *sk, struct tcp_sock *tp)
{
	struct moment m = { .old_state = STATE_SYN_SENT, .new_state = STATE_SYN_SENT };

	m.sk = sk;
	m.tp = tp;
	m.time_ns = bpf_ktime_get_boot_ns();
	m.record = find_record(sk, 0);
	if (!m.record)
		return 0;
	m.cookie = m.record->cookie;
	handlers_syn_sent(&m);
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
