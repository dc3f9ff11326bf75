/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 2: what becomes of a socket that the kernel closes. The only place that decides it. */
#ifndef SOCKEYE_BPF_OUTCOME_H
#define SOCKEYE_BPF_OUTCOME_H

#include "bpf/read_sock.h"
#include "bpf/sock_error.h"

/* Retransmissions or probes are without an answer. */
INLINE __u32 has_given_up(struct tcp_sock *tp)
{
	return tp->inet_conn.icsk_retransmits | tp->inet_conn.icsk_probes_out;
}

/* gave_up: has_given_up(), where that can be asked. */
INLINE int ended_by_error(struct sock *sk, __u8 old_state, __u32 gave_up)
{
	return error_has_ended(old_state, (__u32)sk->sk_err, (__u32)sk->sk_err_soft, gave_up);
}

/*
 * Whether a minisocket takes the place of a socket that leaves FIN_WAIT2 or CLOSING. With the peer's FIN seen, FIN_WAIT2
 * is left in no other way (tcp_fin()), and CLOSING as soon as the own one is acknowledged. linger2 < 0: the user
 * wants no orphaned FIN_WAIT2.
 */
INLINE __u8 minisocket_of(struct tcp_sock *tp, __u8 old_state)
{
	unsigned long flags = tp->inet_conn.icsk_inet.sk.__sk_common.skc_flags;
	__u64 unacked = filter_differs(old_state ^ TCP_FIN_WAIT2) & filter_differs(tp->snd_una ^ tp->write_seq);
	__u64 waits = filter_differs(flags & (1 << SOCK_DEAD)) & ~filter_sign((__u64)(__s64)tp->linger2) &
		      ~(__u64)ended_by_error(&tp->inet_conn.icsk_inet.sk, old_state, has_given_up(tp));

	if (flags & (1 << SOCK_DONE))
		return unacked ? OUTCOME_GONE : OUTCOME_TIME_WAIT;
	return waits & 1 ? OUTCOME_FIN_WAIT2_ORPHAN : OUTCOME_GONE;
}

/*
 * Of a socket that leaves FIN_WAIT2 or CLOSING: tcp_time_wait() swaps in a minisocket and closes the full one without an
 * event of its own; all its callers come from these two states.
 *
 * inet_twsk_alloc() refuses where the namespace's table is full (TCPTimeWaitOverflow). What it made is counted by now:
 * below the limit the minisocket is there, at the limit it may be the one that filled the table, or was refused.
 */
INLINE __u8 outcome_of_close(struct tcp_sock *tp, __u8 old_state, __u8 new_state)
{
	__u8 outcome;

	if (new_state != TCP_CLOSE || (old_state != TCP_FIN_WAIT2 && old_state != TCP_CLOSING))
		return OUTCOME_NONE;
	outcome = minisocket_of(tp, old_state);
	if (outcome != OUTCOME_GONE && time_wait_table_is_full(tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net))
		return OUTCOME_TABLE_FULL;
	return outcome;
}

#endif
