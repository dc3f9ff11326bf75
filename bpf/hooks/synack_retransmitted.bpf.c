/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook synack_retransmitted: a SYN-ACK is sent again (tcp_rtx_synack()), by the timer of a half-open request or
 * because the client's SYN came again. It comes in softirqs, which do not interrupt each other: no twin.
 */
#include "bpf/emit.h"
#include "gen/handlers_synack_retransmitted.h"

/*
 * A request is no full socket, and has no entry: its owner is that of the exact listener. The cookie that it is given
 * here goes on to the child (inet_csk_clone_lock()).
 */
INLINE void open_request(struct hook_call *call, struct owner *owner, struct sock *listener)
{
	struct sock_entry *entry = find_entry(listener, ENTRY_FIND);

	call->mini = (struct sock_common *)
			     call->request; /* its first member; as an offset the verifier of 6.1 takes it for null */
	call->state = TCP_NEW_SYN_RECV;
	call->role = ROLE_SERVER;
	call->cookie = socket_cookie(call->mini);
	if (!entry)
		return;
	copy_parent_owner(owner, entry);
	call->owner = owner;
}

/* With TCP Fast Open the child is there already, with data, and has an entry of its own. */
INLINE int open_child(struct hook_call *call, struct sock *child)
{
	struct tcp_sock *tp = readable_tcp(child);

	if (!tp)
		return 0;
	call->state = child->__sk_common.skc_state;
	open_call(call, child, tp, ENTRY_CREATE, 0);
	return 1;
}

/* Two ways through the program, as in visit_socket: the verifier does not see that where `tp` is 0 `mini` is not. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(synack_retransmitted__tp_btf, struct sock *sk, struct request_sock *request)
{
	struct hook_call call = { .request = request };
	struct owner owner = {};

	if (!sk || !request)
		return 0;
	call.time_ns = bpf_ktime_get_boot_ns();
	if (sk->__sk_common.skc_state == TCP_LISTEN) {
		open_request(&call, &owner, sk);
		handlers_synack_retransmitted(&call);
	} else if (open_child(&call, sk)) {
		handlers_synack_retransmitted(&call);
	}
	return 0;
}
