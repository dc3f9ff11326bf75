/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_WHO_ON_VISIT_SOCKET_BPF_H
#define SOCKEYE_WHO_ON_VISIT_SOCKET_BPF_H

#include "bpf/emit.h"
#include "bpf/owner_by_cookie.h"
#include "collectors/who/who.event.h"

/* As tcp_diag_get_info() of the kernel reckons them for `ss`. */
INLINE void who_read_queues(struct who_event *event, struct tcp_sock *tp, __u8 state)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	__s32 unread;

	if (state == TCP_LISTEN) {
		event->recv_q = sk->sk_ack_backlog;
		event->send_q = sk->sk_max_ack_backlog;
		return;
	}
	unread = (__s32)(tp->rcv_nxt - tp->copied_seq);
	event->recv_q = unread > 0 ? (__u32)unread : 0;
	event->send_q = tp->write_seq - tp->snd_una;
}

/* Its holders have the MPTCP connection above a subflow. */
INLINE __u64 who_key(struct hook_call *call)
{
	__u64 connection = 0;

	if (settings.follows_connections && is_mptcp_subflow(call->tp))
		connection = connection_cookie(call->tp);
	if (connection)
		return connection;
	return settings.has_socket_cookie ? call->cookie : (__u64)call->sk;
}

INLINE void who_write_visit(struct hook_call *call)
{
	struct who_visit visit = {};
	struct who_event *event = &visit.event;

	fill_header(&visit, WHO_KIND, call);
	if (!call->mini)
		call->cookie = socket_cookie(&call->sk->__sk_common);
	if (!call->mini && !call->cookie)
		call->cookie = own_cookie();
	fill_socket_event(&event->base, call);
	event->state = call->state;
	if (!call->mini) {
		event->inode = socket_inode(&call->tp->inet_conn.icsk_inet.sk);
		event->socket_uid = call->tp->inet_conn.icsk_inet.sk.sk_uid.val;
		event->flags = WHO_FULL;
		who_read_queues(event, call->tp, call->state);
		visit.key = who_key(call);
	}
	write_event(&visit, call);
}

/* The stack has no room for a visit beside what the filters need: it begins behind them. */
INLINE void who_on_visit_socket(struct hook_call *call)
{
	if (filter_passes_state(&filters, call->state) && passes_filters(call))
		who_write_visit(call);
}

#endif
