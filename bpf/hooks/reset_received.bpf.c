/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook reset_received: a peer's RST ends a connection (tcp_reset()). One that came to a listener, to a half-open
 * request or to a minisocket has no hook.
 */
#include "bpf/emit.h"
#include "bpf/nested.h"
#include "bpf/packet.h"
#include "gen/handlers_reset_received.h"

NESTED_NOTES(reset_received_notes);

INLINE int run_reset_received(struct sock *sk)
{
	struct packet packet = { .protocol = IPPROTO_TCP, .state = sk->__sk_common.skc_state, .packets = 1 };
	struct hook_call call = { .packet = &packet };
	struct tcp_sock *tp;

	if (!is_tcp_socket(sk))
		return 0;
	tp = readable_tcp(sk);
	if (!tp)
		return 0;
	call.time_ns = bpf_ktime_get_boot_ns();
	open_call(&call, sk, tp, ENTRY_FIND, 0);
	if (call.entry)
		forget_departed_owner(call.entry, is_held(tp));
	settle_role(&call, sk->__sk_common.skc_state, 1);
	handlers_reset_received(&call);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(reset_received__tp_btf, struct sock *sk)
{
	run_reset_received(sk);
	leave_nested_note(&reset_received_notes, (__u64)sk);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(reset_received__tp_btf__twin, struct sock *sk)
{
	if (take_nested_note(&reset_received_notes, (__u64)sk))
		return 0;
	__sync_fetch_and_add(&counters.rescued, 1);
	return run_reset_received(sk);
}
