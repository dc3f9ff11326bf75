/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_WHO_ON_TICK_SOCKET_BPF_H
#define SOCKEYE_WHO_ON_TICK_SOCKET_BPF_H

#include "bpf/emit.h"
#include "bpf/owner_by_cookie.h"
#include "collectors/who/who.event.h"

/* As tcp_diag_get_info() of the kernel reckons them for `ss`. */
INLINE void who_read_queues(struct who_event *event, struct tcp_sock *tp, __u8 state)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	__s32 unread;

	if (state == STATE_LISTEN) {
		event->recv_q = sk->sk_ack_backlog;
		event->send_q = sk->sk_max_ack_backlog;
		return;
	}
	unread = (__s32)(tp->rcv_nxt - tp->copied_seq);
	event->recv_q = unread > 0 ? (__u32)unread : 0;
	event->send_q = tp->write_seq - tp->snd_una;
}

/* Its holders have the MPTCP connection above a subflow. */
INLINE __u64 who_key(struct moment *m)
{
	__u64 connection = 0;

	if (settings.follows_connections && is_mptcp_subflow(m->tp))
		connection = connection_cookie(m->tp);
	if (connection)
		return connection;
	return settings.has_socket_cookie ? m->cookie : (__u64)m->sk;
}

INLINE void who_write_visit(struct moment *m)
{
	struct who_visit visit = {};
	struct who_event *event = &visit.event;

	fill_header(&visit, WHO_KIND, m);
	if (!m->mini)
		m->cookie = socket_cookie(&m->sk->__sk_common);
	if (!m->mini && !m->cookie)
		m->cookie = own_cookie();
	fill_socket_event(&event->base, m);
	event->state = m->state;
	if (!m->mini) {
		event->inode = socket_inode(&m->tp->inet_conn.icsk_inet.sk);
		event->socket_uid = m->tp->inet_conn.icsk_inet.sk.sk_uid.val;
		event->flags = WHO_FULL;
		who_read_queues(event, m->tp, m->state);
		visit.key = who_key(m);
	}
	write_event(&visit, m);
}

/* The stack has no room for a visit beside what the filters need: it begins behind them. */
INLINE void who_on_tick_socket(struct moment *m)
{
	if (filter_passes_state(&filters, m->state) && moment_passes(m))
		who_write_visit(m);
}

#endif
