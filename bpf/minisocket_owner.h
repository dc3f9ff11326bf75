/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 3: whose a TIME_WAIT or FIN_WAIT2 minisocket is. The entry of a socket goes with it, but its cookie lives on in
 * the minisocket that the kernel puts in its place (inet_twsk_alloc() copies it). Only in runs that want to know.
 *
 * On kernels whose tracing programs cannot ask for a cookie (5.10) most sockets have none, and nothing is kept of those.
 */
#ifndef SOCKEYE_BPF_MINISOCKET_OWNER_H
#define SOCKEYE_BPF_MINISOCKET_OWNER_H

#include "bpf/hook_call.h"
#include "bpf/outcome.h"

/* By cookie. Least recently used first where there are more: their minisockets have no owner then. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct owner);
} owner_after_life SEC(".maps");

/* At set_state, when the entry is still there. A socket that may have no room for a minisocket is kept, too. */
INLINE void remember_afterlife(struct hook_call *call)
{
	__u64 cookie = (__u64)call->tp->inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter;
	__u8 outcome = outcome_of_close(call->tp, call->old_state, call->new_state);
	struct owner *owner = shown_owner(&call->entry->whose);

	if (!cookie || outcome == OUTCOME_NONE || outcome == OUTCOME_GONE || owner->source == OWNER_UNKNOWN)
		return;
	bpf_map_update_elem(&owner_after_life, &cookie, owner, BPF_ANY);
}

INLINE struct owner *owner_of_minisocket(struct sock_common *mini)
{
	__u64 cookie = (__u64)mini->skc_cookie.counter;

	return cookie ? bpf_map_lookup_elem(&owner_after_life, &cookie) : 0;
}

#endif
