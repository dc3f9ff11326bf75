/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment tick_socket: a visit to every TCP socket of one network namespace, when user space reads the iterator.
 * At start it gives the sockets that were there before a record, so that their first event has an owner to carry.
 * Minisockets (TIME_WAIT, FIN_WAIT2) and request sockets come by too: of those the moment has `mini`, and nothing else.
 */
#include "bpf/emit.h"
#include "bpf/owner_by_cookie.h"
#include "gen/handlers_tick_socket.h"

INLINE void visit_socket(struct bpf_iter__tcp *ctx, struct tcp_sock *tp)
{
	struct moment m = { .file = ctx->meta->seq, .state = tp->inet_conn.icsk_inet.sk.__sk_common.skc_state };

	open_moment(&m, tp, 1, 0);
	if (m.record && m.state == STATE_LISTEN && m.record->role != ROLE_LISTENER) {
		m.record->role = ROLE_LISTENER;
		record_changed(m.record);
	} else if (m.record && settings.follows_connections && is_mptcp_subflow(tp)) {
		adopt_owner(m.record, connection_cookie(tp));
	}
	handlers_tick_socket(&m);
}

/* A minisocket says TIME_WAIT of itself whichever state it stands for. */
INLINE void visit_mini(struct bpf_iter__tcp *ctx, struct sock_common *common)
{
	struct moment m = { .file = ctx->meta->seq, .mini = common, .state = common->skc_state };

	if (m.state == STATE_TIME_WAIT) {
		struct tcp_timewait_sock *tw = bpf_skc_to_tcp_timewait_sock(common);

		if (tw)
			m.state = tw->tw_sk.tw_substate;
	}
	m.time_ns = bpf_ktime_get_boot_ns();
	m.cookie = socket_cookie(common);
	handlers_tick_socket(&m);
}

SEC("iter/tcp")
int tick_socket__iter(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct tcp_sock *tp;

	if (!common)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (tp)
		visit_socket(ctx, tp);
	else
		visit_mini(ctx, common);
	return 0;
}
