/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment tick_socket: a visit to every TCP socket of one network namespace, when user space reads the iterator.
 * It makes records; where tick_file can only find them (5.10), it goes before at the start of a stream.
 * Minisockets (TIME_WAIT, FIN_WAIT2) and request sockets come by too: of those the moment has `mini` in place of `tp`.
 */
#include "bpf/emit.h"
#include "bpf/owner_by_cookie.h"
#include "gen/handlers_tick_socket.h"

INLINE void visit_socket(struct bpf_iter__tcp *ctx, struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;
	struct moment m = { .file = ctx->meta->seq, .state = sk->__sk_common.skc_state };

	m.time_ns = bpf_ktime_get_boot_ns();
	open_moment(&m, sk, tp, 1, 0);
	settle_role(&m, m.state, iterator_holds_lock());
	if (m.state == STATE_LISTEN) /* where the records have run out as well */
		m.role = ROLE_LISTENER;
	if (m.record && m.state == STATE_LISTEN && m.record->role != ROLE_LISTENER) {
		m.record->role = ROLE_LISTENER;
		record_changed(m.record);
	} else if (m.record && settings.follows_connections && is_mptcp_subflow(tp)) {
		adopt_owner(m.record, connection_cookie(tp));
	}
	handlers_tick_socket(&m);
}

INLINE void visit_mini(struct bpf_iter__tcp *ctx, struct sock_common *common)
{
	struct moment m = { .file = ctx->meta->seq, .mini = common, .state = state_of_mini(common) };

	m.time_ns = bpf_ktime_get_boot_ns();
	m.cookie = socket_cookie(common);
	if (m.state == STATE_NEW_SYN_RECV || m.state == STATE_SYN_RECV)
		m.role = ROLE_SERVER;
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
