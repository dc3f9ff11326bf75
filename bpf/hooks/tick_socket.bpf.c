/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment tick_socket: a visit to every TCP socket of one network namespace, when user space reads the iterator.
 * At start it gives the sockets that were there before a record, so that their first event has an owner to carry.
 */
#include "bpf/emit.h"
#include "gen/handlers_tick_socket.h"

SEC("iter/tcp")
int tick_socket__iter(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct moment m = {};
	struct tcp_sock *tp;

	if (!common)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp) { /* a TIME_WAIT or FIN_WAIT2 minisocket, or a request socket */
		counters.snapshot_minis++;
		return 0;
	}
	counters.snapshot_sockets++;
	open_moment(&m, tp, 1, 0);
	if (m.record && common->skc_state == STATE_LISTEN)
		m.record->role = ROLE_LISTENER;
	handlers_tick_socket(&m);
	return 0;
}
