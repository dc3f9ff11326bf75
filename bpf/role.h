/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 2: which end of a connection a socket is. */
#ifndef SOCKEYE_BPF_ROLE_H
#define SOCKEYE_BPF_ROLE_H

#include "bpf/read_sock.h"
#include "bpf/sent_counters.h"

INLINE void read_sent_counters(struct sent_counters *to, struct tcp_sock *tp, __u8 state)
{
	to->bytes_acked = tp->bytes_acked;
	to->bytes_sent = tp->bytes_sent;
	to->bytes_retrans = tp->bytes_retrans;
	to->snd_una = tp->snd_una;
	to->snd_nxt = tp->snd_nxt;
	to->write_seq = tp->write_seq;
	to->state = state;
}

/* ROLE_* by the counters, where the socket's lock keeps them still. */
INLINE __u8 read_role(struct tcp_sock *tp, __u8 state)
{
	struct sent_counters counters_now = {};

	read_sent_counters(&counters_now, tp, state);
	return role_of_counters(&counters_now);
}

/* 1: somebody has the socket's lock. Where a spinlock is none (PREEMPT_RT), or another kind, owned alone tells. */
INLINE __u32 is_locked_by_somebody(struct sock *sk)
{
	__u32 spins = 0;

	if (bpf_core_field_exists(sk->sk_lock.slock.rlock.raw_lock.val))
		spins = (__u32)((volatile struct sock *)sk)->sk_lock.slock.rlock.raw_lock.val.counter;
	return (__u32)filter_differs(spins | (__u32)((volatile struct sock *)sk)->sk_lock.owned);
}

/*
 * The same without the lock: while data are sent the counters do not fit together, for as long as the packet is on its way
 * through the stack. They are read twice, and nothing is taken where somebody had the lock or they have moved.
 */
INLINE __u8 read_role_unlocked(struct tcp_sock *tp, __u8 state)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	__u64 moved = is_locked_by_somebody(sk);
	struct sent_counters first = {};
	__u8 role;

	read_sent_counters(&first, tp, state);
	role = role_of_counters(&first);
	barrier();
	moved |= (first.bytes_acked ^ tp->bytes_acked) | (first.bytes_sent ^ tp->bytes_sent) |
		 (first.bytes_retrans ^ tp->bytes_retrans) | (first.snd_una ^ tp->snd_una) |
		 (first.snd_nxt ^ tp->snd_nxt) | (first.write_seq ^ tp->write_seq) |
		 (state ^ sk->__sk_common.skc_state) | is_locked_by_somebody(sk);
	return role * (__u8)(filter_differs(moved) ^ 1);
}

/* TCP_REPAIR: connect() makes an established connection without a packet, for either end of the one that was saved. */
INLINE __u8 role_of_connect(struct tcp_sock *tp)
{
	return is_in_repair(tp) ? ROLE_UNKNOWN : ROLE_CLIENT;
}

#endif
