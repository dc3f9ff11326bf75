/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment tick_state: a visit to every TCP socket of one network namespace for its state alone, when user space reads
 * the iterator. Unlike tick_socket it opens no record, so it may be run again and again.
 */
#include "bpf/moment.h"
#include "gen/handlers_tick_state.h"

SEC("iter/tcp")
int tick_state__iter(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct moment m = {};
	struct tcp_timewait_sock *timewait;

	if (!common)
		return 0;
	m.file = ctx->meta->seq;
	m.state = common->skc_state;
	m.tp = bpf_skc_to_tcp_sock(common);
	if (!m.tp)
		m.mini = common;
	/* A minisocket says TIME_WAIT of itself whichever state it stands for. */
	if (m.state == STATE_TIME_WAIT) {
		timewait = bpf_skc_to_tcp_timewait_sock(common);
		if (timewait)
			m.state = timewait->tw_sk.tw_substate;
	}
	handlers_tick_state(&m);
	return 0;
}
