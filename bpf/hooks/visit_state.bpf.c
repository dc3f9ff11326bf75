/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook visit_state: a visit to every TCP socket of one network namespace for its state alone, when user space reads
 * the iterator. Unlike visit_socket it opens no entry, so it may be run again and again.
 */
#include "bpf/minisocket_owner.h"
#include "gen/handlers_visit_state.h"

INLINE struct owner *owner_of_socket(struct sock *sk)
{
	struct sock_entry *entry = own_entry(find_entry(sk, ENTRY_FIND), &sk->__sk_common);

	if (!entry)
		return 0;
	forget_departed_owner(entry, is_socket_held(&sk->__sk_common));
	return shown_owner(&entry->whose);
}

/* Two ways through the program, as in visit_socket: the verifier does not see that where `tp` is 0 `mini` is not. */
INLINE void tell_state(struct bpf_iter__tcp *ctx, struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;
	struct hook_call call = { .file = ctx->meta->seq, .sk = sk, .tp = tp, .state = sk->__sk_common.skc_state };

	if (settings.wants_entries)
		call.owner = owner_of_socket(sk);
	handlers_visit_state(&call);
}

INLINE void tell_mini_state(struct bpf_iter__tcp *ctx, struct sock_common *common)
{
	struct hook_call call = { .file = ctx->meta->seq, .mini = common, .state = state_of_mini(common) };

	if (settings.wants_afterlife)
		call.owner = owner_of_minisocket(common);
	handlers_visit_state(&call);
}

SEC("iter/tcp")
int visit_state__iter(struct bpf_iter__tcp *ctx)
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
