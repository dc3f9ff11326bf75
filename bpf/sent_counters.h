/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 1: what the counters of a TCP socket say of who connected. Pure functions of plain numbers: unit tests compile
 * them on the host.
 *
 * bytes_acked is what snd_una has advanced by (tcp_snd_una_update()). A client's begins before its SYN
 * (tcp_connect_init()), a child's behind it (tcp_create_openreq_child()), and the own FIN counts 1 once it is
 * acknowledged. bytes_sent and bytes_retrans have neither SYN nor FIN in them.
 */
#ifndef SOCKEYE_BPF_SENT_COUNTERS_H
#define SOCKEYE_BPF_SENT_COUNTERS_H

#include "bpf/counter.h"
#include "bpf/filter.h"

struct sent_counters {
	SOCKEYE_COUNTER __u64 bytes_acked;
	SOCKEYE_COUNTER __u64 bytes_sent;    /* with what was sent again */
	SOCKEYE_COUNTER __u64 bytes_retrans; /* likewise */
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u8 state; /* TCP state; of a socket that goes to CLOSE the one before */
	__u8 _pad[3];
};

/* 0 or 1, without a branch, as all that follows. */
INLINE __u32 is_fin_queued(__u8 state)
{
	const __u32 queued = 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSING | 1 << TCP_LAST_ACK;

	return (__u32)filter_differs(queued & 1u << (state & 31));
}

INLINE __u32 is_fin_acked(const struct sent_counters *c)
{
	return is_fin_queued(c->state) & (__u32)~filter_differs(c->snd_una ^ c->write_seq);
}

/*
 * Whether bytes_acked has a SYN in it: what was acknowledged and what is in flight is what was sent once, and one more. 2:
 * that does not come out even (TCP_REPAIR).
 */
INLINE __u32 acked_syn(const struct sent_counters *c)
{
	__u32 fin_acked = is_fin_acked(c), odd = 0;
	__u32 fin_in_flight = is_fin_queued(c->state) & ~fin_acked & (__u32)~filter_differs(c->snd_nxt ^ c->write_seq);
	__u32 in_flight = c->snd_nxt - c->snd_una - fin_in_flight;
	__u64 sent_once = counted_between(c->bytes_retrans, c->bytes_sent, &odd);
	__u64 arrived = counted_between(fin_acked, c->bytes_acked, &odd);
	__u64 more = counted_between(sent_once, arrived + in_flight, &odd);

	__u32 is_uneven = (__u32)filter_differs(odd | more >> 1);

	return is_uneven * 2 + (__u32)(more & 1) * (is_uneven ^ 1);
}

/*
 * ROLE_* of a connection whose beginning was not seen. Of one that TCP_REPAIR made there was no SYN, which a server's
 * does not count either: where it is known to be such a one, do not ask.
 */
INLINE __u8 role_of_counters(const struct sent_counters *c)
{
	const __u32 connected = 1 << TCP_ESTABLISHED | 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSE_WAIT |
				1 << TCP_CLOSING | 1 << TCP_LAST_ACK;
	__u32 syn = acked_syn(c), is_known = connected >> (c->state & 31) & (syn >> 1 ^ 1) & 1;

	return (__u8)(is_known * (ROLE_SERVER - (syn & 1)));
}

#endif
