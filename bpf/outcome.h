/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 2: what becomes of a socket that the kernel closes. The only place that decides it. */
#ifndef SOCKEYE_BPF_OUTCOME_H
#define SOCKEYE_BPF_OUTCOME_H

#include "bpf/read_sock.h"

#define SOCK_IS_DONE (1 << 1) /* SOCK_DONE: the peer's FIN was seen (tcp_fin()) */

/*
 * Of a socket that leaves FIN_WAIT2 or CLOSING: tcp_time_wait() swaps in a minisocket and closes the full one without an
 * event of its own; all its callers come from these two states. linger2 < 0: the user wants no orphaned FIN_WAIT2.
 *
 * inet_twsk_alloc() refuses where the namespace's table is full (TCPTimeWaitOverflow). What it made is counted by now:
 * below the limit the minisocket is there, at the limit it may be the one that filled the table, or was refused.
 */
INLINE __u8 outcome_of_close(struct tcp_sock *tp, __u8 old_state, __u8 new_state)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	unsigned long flags = sk->__sk_common.skc_flags;
	__u8 outcome = OUTCOME_GONE;

	if (new_state != STATE_CLOSE || (old_state != STATE_FIN_WAIT2 && old_state != STATE_CLOSING))
		return OUTCOME_NONE;
	if (sk->sk_err)
		return OUTCOME_GONE;
	if (flags & SOCK_IS_DONE)
		outcome = OUTCOME_TIME_WAIT;
	else if (tp->linger2 >= 0 && (flags & SOCK_IS_DEAD))
		outcome = OUTCOME_FIN_WAIT2_ORPHAN;
	if (outcome != OUTCOME_GONE && time_wait_table_is_full(sk->__sk_common.skc_net.net))
		return OUTCOME_TABLE_FULL;
	return outcome;
}

#endif
