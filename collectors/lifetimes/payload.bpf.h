/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Payload out of the counters of a TCP socket, in which SYN and FIN count as bytes. Pure functions of plain numbers: a
 * unit test compiles them on the host.
 *
 *   bytes_acked     tcp_snd_una_update() adds what snd_una advances by. A client's begins before its SYN
 * (tcp_connect_init()): once that is answered it has counted 1. A child's begins behind the SYN
 * (tcp_create_openreq_child()). The own FIN counts 1 once it is acknowledged. bytes_received  tcp_rcv_nxt_update() adds
 * what rcv_nxt advances by, which begins behind the peer's SYN. The peer's FIN counts 1 once it is received in order:
 * then tcp_fin() sets SOCK_DONE. write_seq       counts the own SYN and, once it is queued, the FIN. copied_seq counts
 * the peer's FIN once the end of file was read.
 */
#ifndef SOCKEYE_LIFETIMES_PAYLOAD_BPF_H
#define SOCKEYE_LIFETIMES_PAYLOAD_BPF_H

#include "bpf/filter.h"
#include "event/wire.h"

struct life_sequence {
	__u64 bytes_acked;
	__u64 bytes_received;
	__u64 bytes_sent;    /* with what was sent again; without SYN and FIN */
	__u64 bytes_retrans; /* likewise */
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 segs_out;
	__u8 old_state;    /* STATE_* before CLOSE */
	__u8 role;         /* ROLE_* */
	__u8 fin_received; /* SOCK_DONE */
	__u8 _pad[5];
};

struct life_payload {
	__u64 written;
	__u64 acked;
	__u64 received;
	__u32 unread;
	__u32 sent_known; /* written and acked are */
};

/* 0 or 1, without a branch, as all that follows. */
INLINE __u32 is_fin_queued(__u8 old_state)
{
	const __u32 queued = 1 << STATE_FIN_WAIT1 | 1 << STATE_FIN_WAIT2 | 1 << STATE_CLOSING | 1 << STATE_LAST_ACK;

	return (__u32)filter_differs(queued & 1u << (old_state & 31));
}

/* Before the SYN is answered nothing is acknowledged or received. What fast open put into the SYN was written. */
INLINE void payload_of_attempt(struct life_payload *to, const struct life_sequence *s)
{
	to->sent_known = 1;
	if (s->segs_out && s->write_seq != s->snd_una)
		to->written = s->write_seq - s->snd_una - 1;
}

/*
 * Whether bytes_acked has a SYN in it, of a socket whose role is not known as it is older than the run: what was
 * acknowledged and what is in flight is what was sent once. 2: that does not come out even (TCP_REPAIR).
 */
INLINE __u64 acked_syn_of_unknown(const struct life_sequence *s, __u32 fin_queued, __u32 fin_acked)
{
	__u32 fin_in_flight = fin_queued & ~fin_acked & (__u32)~filter_differs(s->snd_nxt ^ s->write_seq);
	__u32 in_flight = s->snd_nxt - s->snd_una - fin_in_flight;
	__u64 odd = s->bytes_acked - fin_acked + in_flight - (s->bytes_sent - s->bytes_retrans);

	return odd < 2 ? odd : 2;
}

INLINE void payload_sent(struct life_payload *to, const struct life_sequence *s)
{
	__u32 fin_queued = is_fin_queued(s->old_state);
	__u32 fin_acked = fin_queued & (__u32)~filter_differs(s->snd_una ^ s->write_seq);
	__u32 is_client = (__u32)~filter_differs(s->role ^ ROLE_CLIENT) & 1;
	__u64 syn_acked = is_client & filter_differs(s->bytes_acked);
	__u32 syn_unacked = is_client - (__u32)syn_acked; /* both ends connected at once, and there was no answer */

	if (s->role != ROLE_CLIENT && s->role != ROLE_SERVER)
		syn_acked = acked_syn_of_unknown(s, fin_queued, fin_acked);
	if (syn_acked > 1)
		return;
	to->sent_known = 1;
	to->acked = s->bytes_acked - syn_acked - fin_acked;
	to->written = to->acked + (s->write_seq - s->snd_una - syn_unacked - (fin_queued - fin_acked));
}

INLINE void payload_received(struct life_payload *to, const struct life_sequence *s)
{
	__u32 behind = s->rcv_nxt - s->copied_seq;

	to->received = s->bytes_received - (s->fin_received & filter_differs(s->bytes_received));
	to->unread = behind - (s->fin_received & (__u32)filter_differs(behind));
}

/* `to` is zeroed. */
INLINE void read_life_payload(struct life_payload *to, const struct life_sequence *s)
{
	if (s->old_state == STATE_SYN_SENT) {
		payload_of_attempt(to, s);
		return;
	}
	payload_sent(to, s);
	payload_received(to, s);
}

#endif
