/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook visit_socket: a visit to every TCP socket of one network namespace, when user space reads the iterator.
 * It makes entries; where visit_file can only find them (5.10), it goes before at the start of a stream.
 * Minisockets (TIME_WAIT, FIN_WAIT2) and request sockets come by too: of those the hook has `mini` in place of `tp`.
 */
#include "bpf/emit.h"
#include "bpf/owner_by_cookie.h"
#include "gen/handlers_visit_socket.h"

INLINE void visit_socket(struct bpf_iter__tcp *ctx, struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;
	struct hook_call call = { .file = ctx->meta->seq, .state = sk->__sk_common.skc_state };

	call.time_ns = bpf_ktime_get_boot_ns();
	open_call(&call, sk, tp, ENTRY_CREATE, 0);
	settle_role(&call, call.state, iterator_holds_lock());
	if (call.state == TCP_LISTEN) /* where the entries have run out as well */
		call.role = ROLE_LISTENER;
	if (call.entry && call.state == TCP_LISTEN && call.entry->role != ROLE_LISTENER) {
		call.entry->role = ROLE_LISTENER;
		entry_changed(call.entry);
	} else if (call.entry && settings.follows_connections && is_mptcp_subflow(tp)) {
		adopt_owner(call.entry, connection_cookie(tp));
	}
	handlers_visit_socket(&call);
}

INLINE void visit_mini(struct bpf_iter__tcp *ctx, struct sock_common *common)
{
	struct hook_call call = { .file = ctx->meta->seq, .mini = common, .state = state_of_mini(common) };

	call.time_ns = bpf_ktime_get_boot_ns();
	call.cookie = socket_cookie(common);
	if (call.state == TCP_NEW_SYN_RECV || call.state == TCP_SYN_RECV)
		call.role = ROLE_SERVER;
	handlers_visit_socket(&call);
}

SEC("iter/tcp")
int visit_socket__iter(struct bpf_iter__tcp *ctx)
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
