/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment synack_retransmitted: a SYN-ACK is sent again (tcp_rtx_synack()), by the timer of a half-open request or
 * because the client's SYN came again. It comes in softirqs, which do not interrupt each other: no twin.
 */
#include "bpf/emit.h"
#include "gen/handlers_synack_retransmitted.h"

/*
 * A request is no full socket, and has no record: its owner is that of the exact listener. The cookie that it is given
 * here goes on to the child (inet_csk_clone_lock()).
 */
INLINE void open_request(struct moment *m, struct owner *owner, struct sock *listener)
{
	struct sock_record *record = find_record(listener, 0);

	m->mini = (struct sock_common *)
			  m->request; /* its first member; as an offset the verifier of 6.1 takes it for null */
	m->state = STATE_NEW_SYN_RECV;
	m->role = ROLE_SERVER;
	m->cookie = socket_cookie(m->mini);
	if (!record)
		return;
	copy_parent_owner(owner, record);
	m->owner = owner;
}

/* With TCP Fast Open the child is there already, with data, and has a record of its own. */
INLINE int open_child(struct moment *m, struct sock *child)
{
	struct tcp_sock *tp = readable_tcp(child);

	if (!tp)
		return 0;
	m->state = child->__sk_common.skc_state;
	open_moment(m, child, tp, 1, 0);
	return 1;
}

/* Two ways through the program, as in tick_socket: the verifier does not see that where `tp` is 0 `mini` is not. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(synack_retransmitted__tp_btf, struct sock *sk, struct request_sock *request)
{
	struct moment m = { .request = request };
	struct owner owner = {};

	if (!sk || !request)
		return 0;
	m.time_ns = bpf_ktime_get_boot_ns();
	if (sk->__sk_common.skc_state == STATE_LISTEN) {
		open_request(&m, &owner, sk);
		handlers_synack_retransmitted(&m);
	} else if (open_child(&m, sk)) {
		handlers_synack_retransmitted(&m);
	}
	return 0;
}
