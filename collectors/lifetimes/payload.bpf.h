/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Payload out of the counters of a TCP socket, in which SYN and FIN count as bytes. Pure functions of plain numbers: a
 * unit test compiles them on the host.
 *
 * bytes_acked is in bpf/sent_counters.h. bytes_received is what rcv_nxt has advanced by (tcp_rcv_nxt_update()), which
 * begins behind the peer's SYN; the peer's FIN counts 1 once it is received in order: then tcp_fin() sets SOCK_DONE.
 * write_seq counts the own SYN and, once it is queued, the FIN; copied_seq the peer's FIN once the end of file was read.
 */
#ifndef SOCKEYE_LIFETIMES_PAYLOAD_BPF_H
#define SOCKEYE_LIFETIMES_PAYLOAD_BPF_H

#include "bpf/sent_counters.h"

struct life_sequence {
	struct sent_counters sent;
	__u64 bytes_received;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 segs_out;
	__u8 role;         /* ROLE_* */
	__u8 fin_received; /* SOCK_DONE */
	__u8 _pad[2];
};

struct life_payload {
	__u64 written;
	__u64 acked;
	__u64 received;
	__u32 unread;
	__u32 sent_known; /* written and acked are */
	__u32 odd;        /* how often counters did not fit together */
	__u8 _pad[4];
};

/* Before the SYN is answered nothing is acknowledged or received. What fast open put into the SYN was written. */
INLINE void payload_of_attempt(struct life_payload *to, const struct life_sequence *s)
{
	to->sent_known = 1;
	if (s->segs_out && s->sent.write_seq != s->sent.snd_una)
		to->written = s->sent.write_seq - s->sent.snd_una - 1;
}

/*
 * Of a role that is not known the counters tell (TCP_REPAIR connects without a SYN). `unacked`: sequence numbers, in which
 * a FIN that waits behind data counts as well.
 */
INLINE void payload_sent(struct life_payload *to, const struct life_sequence *s)
{
	const struct sent_counters *c = &s->sent;
	__u32 fin_acked = is_fin_acked(c), fin_waits = is_fin_queued(c->state) - fin_acked, odd = 0;
	__u32 is_client = (__u32)~filter_differs(s->role ^ ROLE_CLIENT) & 1;
	__u32 syn_acked = is_client & (__u32)filter_differs(c->bytes_acked);
	__u32 syn_waits = is_client - syn_acked; /* both ends connected at once, and there was no answer */
	__u32 unacked = c->write_seq - c->snd_una;

	if (s->role != ROLE_CLIENT && s->role != ROLE_SERVER)
		syn_acked = acked_syn(c);
	if (syn_acked > 1)
		return;
	to->acked = counted_between(syn_acked + fin_acked, c->bytes_acked, &odd);
	to->written = to->acked + counted_between(syn_waits + fin_waits, unacked, &odd);
	to->sent_known = (__u32)(filter_differs(odd) ^ 1);
	to->odd += odd;
}

INLINE void payload_received(struct life_payload *to, const struct life_sequence *s)
{
	__u32 behind = s->rcv_nxt - s->copied_seq;

	to->received =
		counted_between(s->fin_received & filter_differs(s->bytes_received), s->bytes_received, &to->odd);
	to->unread = behind - (s->fin_received & (__u32)filter_differs(behind));
}

/* `to` is zeroed. */
INLINE void read_life_payload(struct life_payload *to, const struct life_sequence *s)
{
	if (s->sent.state == TCP_SYN_SENT) {
		payload_of_attempt(to, s);
		return;
	}
	payload_sent(to, s);
	payload_received(to, s);
}

#endif
