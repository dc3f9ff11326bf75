/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The hook destroyed: the last sight of a TCP socket, whose entry goes now. */
#include "bpf/emit.h"
#include "gen/handlers_destroyed.h"

INLINE void run_destroyed(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct hook_call call = {};

	if (!tp)
		return;
	call.time_ns = bpf_ktime_get_boot_ns();
	open_call(&call, sk, tp, ENTRY_FIND, 0);
	handlers_destroyed(&call);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroyed__tp_btf, struct sock *sk)
{
	if (has_handlers_destroyed())
		run_destroyed(sk);
	forget_entry(sk);
	return 0;
}
