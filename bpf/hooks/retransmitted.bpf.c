/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook retransmitted: TCP sends something again that waits for its acknowledgement, at the end of
 * __tcp_retransmit_skb(). The socket's lock is held: in a softirq, or by a process that handles what came in the
 * meantime. On top of the process softirqs bring packets of other sockets, with retransmissions in bursts: hence a twin.
 */
#include "bpf/emit.h"
#include "bpf/errno.h"
#include "bpf/owner_by_cookie.h"
#include "bpf/twin.h"
#include "gen/handlers_retransmitted.h"

TWIN_NOTES(retransmitted_notes);

/* The third argument, where the tracepoint comes for failures as well. Else it comes for what went out. */
INLINE int retransmit_error(unsigned long long *ctx)
{
	return settings.tells_failed_retransmits ? (int)ctx[2] : 0;
}

/* A subflow belongs to the owner of its connection, who may have changed since the subflow's last event. */
INLINE void owner_on_retransmitted(struct hook_call *call)
{
	struct sock_entry *entry = call->entry;

	if (settings.follows_connections && is_mptcp_subflow(call->tp))
		adopt_owner(entry, connection_cookie(call->tp));
	else if (settings.learns_accepts && shown_owner(&entry->whose)->source == OWNER_INHERITED)
		adopt_owner(entry, call->cookie);
	forget_departed_owner(entry, is_held(call->tp));
}

/* Nothing was tried: the first one is still in a queue of this host (EBUSY); the peer's window is closed (EAGAIN). */
INLINE int is_put_off(int error)
{
	return error == -EBUSY || error == -EAGAIN;
}

INLINE int run_retransmitted(struct sock *sk, struct sk_buff *skb, int error)
{
	struct hook_call call = { .skb = skb, .error = error };
	struct tcp_sock *tp;

	if (!skb || is_put_off(error))
		return 0;
	tp = readable_tcp(sk);
	if (!tp)
		return 0;
	call.time_ns = bpf_ktime_get_boot_ns();
	open_call(&call, sk, tp, ENTRY_CREATE, 0);
	settle_role(&call, sk->__sk_common.skc_state, 1);
	if (call.entry)
		owner_on_retransmitted(&call);
	handlers_retransmitted(&call);
	return 0;
}

/* The number of segments that a socket has sent again counts up with each event that is told. */
INLINE __u64 retransmit_number(struct sock *sk)
{
	struct tcp_sock *tp = readable_tcp(sk);

	return tp ? tp->total_retrans : 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmitted__tp_btf, struct sock *sk, struct sk_buff *skb)
{
	run_retransmitted(sk, skb, retransmit_error(ctx));
	leave_note(&retransmitted_notes, sk, retransmit_number(sk));
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmitted__tp_btf__twin, struct sock *sk, struct sk_buff *skb)
{
	if (take_note(&retransmitted_notes, sk, retransmit_number(sk)))
		return 0;
	__sync_fetch_and_add(&counters.rescued, 1);
	return run_retransmitted(sk, skb, retransmit_error(ctx));
}
