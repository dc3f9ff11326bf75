/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is read of a retransmission: its type, its place among what was sent, how much it is. */
#ifndef SOCKEYE_RETRANSMITS_READ_RETRANSMIT_BPF_H
#define SOCKEYE_RETRANSMITS_READ_RETRANSMIT_BPF_H

#include "bpf/emit.h"
#include "bpf/errno.h"
#include "bpf/packet.h"
#include "collectors/retransmits/retransmits.event.h"

#define CONGESTION_OPEN 0  /* TCP_CA_Open of <linux/tcp.h> */
#define CONGESTION_LOSS 4  /* TCP_CA_Loss */
#define TIMER_LOSS_PROBE 5 /* ICSK_TIME_LOSS_PROBE of <net/inet_connection_sock.h> */
#define SEGMENT_LOST 0x04  /* TCPCB_LOST of <net/tcp.h>: taken for lost */

INLINE __u8 congestion_state(struct tcp_sock *tp)
{
	return BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state);
}

/*
 * In the state Loss everything in flight was taken for lost: by the retransmission timer (tcp_enter_loss()), or, with
 * the window left as it is, by tcp_simple_retransmit() (tcp_non_congestion_loss_retransmit() since 6.10), which leaves
 * nothing to undo. The timer has nothing pending when it sends (tcp_write_timer_handler()); later segments of the same
 * loss go out with acknowledgements. The same loss is one with the same high_seq.
 */
INLINE __u8 type_in_loss(struct moment *m)
{
	struct retransmits_sock *own = m->record ? &m->record->parts.retransmits : 0;
	__u32 high_seq = m->tp->high_seq;

	if (!m->tp->inet_conn.icsk_pending) {
		if (own) {
			own->timeout_high_seq = high_seq;
			own->timed_out = 1;
		}
		return RETRANSMIT_TIMEOUT;
	}
	if (own && own->timed_out && own->timeout_high_seq == high_seq)
		return RETRANSMIT_TIMEOUT;
	return m->tp->undo_marker || m->tp->prior_ssthresh ? RETRANSMIT_TIMEOUT : RETRANSMIT_NON_CONGESTION;
}

/*
 * Data of a SYN that was not taken (tcp_rcv_fastopen_synack()). Until 6.10, and what has the change from there, they go out
 * without the state Loss, and the timer of a loss probe may be set for them already.
 */
INLINE int is_of_untaken_syn(struct tcp_sock *tp)
{
	return congestion_state(tp) == CONGESTION_OPEN && BPF_CORE_READ_BITFIELD(tp, syn_data) &&
	       !BPF_CORE_READ_BITFIELD(tp, syn_data_acked) &&
	       !(tp->inet_conn.icsk_pending == TIMER_LOSS_PROBE && timer_has_run_off(tp));
}

/*
 * tcp_xmit_retransmit_queue() sends what is marked as lost, and nothing else; the probe is the last segment sent, which
 * is not (tcp_send_loss_probe()). Its timer may be pending at a fast retransmission as well.
 */
INLINE __u8 type_of_retransmission(struct moment *m)
{
	struct tcp_skb_cb *segment = control_block(m->skb);

	if (segment->tcp_flags & TCP_FLAG_SYN_BIT)
		return segment->tcp_flags & TCP_FLAG_ACK_BIT ? RETRANSMIT_SYNACK : RETRANSMIT_SYN;
	if (congestion_state(m->tp) == CONGESTION_LOSS)
		return type_in_loss(m);
	if (is_of_untaken_syn(m->tp))
		return RETRANSMIT_NON_CONGESTION;
	return m->tp->inet_conn.icsk_pending == TIMER_LOSS_PROBE && !(segment->sacked & SEGMENT_LOST)
		       ? RETRANSMIT_TAIL_LOSS_PROBE
		       : RETRANSMIT_FAST;
}

/* The errors before TcpRetransSegs is counted up; all others come from the transmission, after that. */
INLINE int is_counted(__u8 error)
{
	return error != ENOMEM && error != EINVAL && error != EHOSTUNREACH;
}

/* NET_XMIT_DROP is all that net_xmit_eval() lets through of what is not negative. */
INLINE __u8 error_of_retransmission(int error)
{
	return error > 0 ? RETRANSMIT_DROPPED : (__u8)-error;
}

/*
 * What has been acknowledged, the SYN included, is bytes_acked; of a socket that came out of a listener one less, as it
 * begins behind its SYN (tcp_create_openreq_child()). -1: it is not known which it is.
 */
INLINE int acked_but_not_counted(struct moment *m, __u8 state)
{
	__u8 role = m->record ? m->record->role : read_role(m->tp, state);

	if (role == ROLE_CLIENT)
		return 0;
	return role == ROLE_SERVER ? 1 : -1;
}

INLINE void place_retransmission(struct retransmits_event *event, struct moment *m)
{
	__s32 ahead = (__s32)(event->seq_raw - m->tp->snd_una); /* below 0: some of it is acknowledged */
	int more = acked_but_not_counted(m, event->state);
	__u32 odd = 0;

	if (more < 0)
		return;
	event->seq = counted_between(ahead < 0 ? -(__s64)ahead : 0, m->tp->bytes_acked + more, &odd);
	count_anomalies(odd);
	if (odd)
		return;
	event->seq += ahead > 0 ? ahead : 0;
	event->end_seq = event->seq + (event->end_seq_raw - event->seq_raw);
	event->flags |= RETRANSMIT_PLACED;
}

INLINE void fill_retransmission(struct retransmits_event *event, struct moment *m, __u8 type)
{
	struct tcp_skb_cb *segment = control_block(m->skb);
	struct tcp_sock *tp = m->tp;

	event->type = type;
	event->state = m->sk->__sk_common.skc_state;
	event->congestion = congestion_state(tp);
	event->error = error_of_retransmission(m->error);
	event->flags = RETRANSMIT_FULL;
	event->seq_raw = segment->seq;
	event->end_seq_raw = segment->end_seq;
	event->segments = is_counted(event->error) ? segment->tcp_gso_segs : 0;
	event->bytes = m->skb->len;
	event->total_segments = tp->total_retrans;
	event->cwnd = tp->snd_cwnd;
	event->srtt_us = tp->srtt_us >> 3;
	place_retransmission(event, m);
}

#endif
