/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment tick_state: a visit to every TCP socket of one network namespace for its state alone, when user space reads
 * the iterator. Unlike tick_socket it opens no record, so it may be run again and again.
 */
#include "bpf/afterlife.h"
#include "gen/handlers_tick_state.h"

INLINE struct owner *owner_of_socket(struct sock *sk)
{
	struct sock_record *record = own_record(find_record(sk, 0), &sk->__sk_common);

	if (!record)
		return 0;
	forget_departed_owner(record, is_socket_held(&sk->__sk_common));
	return shown_owner(&record->whose);
}

/* Two ways through the program, as in tick_socket: the verifier does not see that where `tp` is 0 `mini` is not. */
INLINE void tell_state(struct bpf_iter__tcp *ctx, struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;
	struct moment m = { .file = ctx->meta->seq, .sk = sk, .tp = tp, .state = sk->__sk_common.skc_state };

	if (settings.wants_records)
		m.owner = owner_of_socket(sk);
	handlers_tick_state(&m);
}

INLINE void tell_mini_state(struct bpf_iter__tcp *ctx, struct sock_common *common)
{
	struct moment m = { .file = ctx->meta->seq, .mini = common, .state = state_of_mini(common) };

	if (settings.wants_afterlife)
		m.owner = owner_of_minisocket(common);
	handlers_tick_state(&m);
}

SEC("iter/tcp")
int tick_state__iter(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct tcp_sock *tp;

	if (!common)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (tp)
		tell_state(ctx, tp);
	else
		tell_mini_state(ctx, common);
	return 0;
}
