/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is read of a retransmission: its type, its place among what was sent, how much it is. */
#ifndef SOCKEYE_RETRANSMITS_READ_RETRANSMIT_BPF_H
#define SOCKEYE_RETRANSMITS_READ_RETRANSMIT_BPF_H

#include "bpf/emit.h"
#include "bpf/errno.h"
#include "bpf/packet.h"
#include "collectors/retransmits/retransmits.event.h"

#define TCP_CA_Open 0 /* <linux/tcp.h> */
#define TCP_CA_Loss 4
#define ICSK_TIME_LOSS_PROBE 5 /* <net/inet_connection_sock.h> */
#define TCPCB_LOST 0x04        /* <net/tcp.h>: taken for lost */

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
INLINE __u8 type_in_loss(struct hook_call *call)
{
	struct retransmits_sock *own = call->entry ? entry_part(call->entry, retransmits) : 0;
	__u32 high_seq = call->tp->high_seq;

	if (!call->tp->inet_conn.icsk_pending) {
		if (own) {
			own->timeout_high_seq = high_seq;
			own->timed_out = 1;
		}
		return RETRANSMIT_TIMEOUT;
	}
	if (own && own->timed_out && own->timeout_high_seq == high_seq)
		return RETRANSMIT_TIMEOUT;
	return call->tp->undo_marker || call->tp->prior_ssthresh ? RETRANSMIT_TIMEOUT : RETRANSMIT_NON_CONGESTION;
}

/*
 * Data of a SYN that was not taken (tcp_rcv_fastopen_synack()). Until 6.10, and what has the change from there, they go out
 * without the state Loss, and the timer of a loss probe may be set for them already.
 */
INLINE int is_of_untaken_syn(struct tcp_sock *tp)
{
	return congestion_state(tp) == TCP_CA_Open && BPF_CORE_READ_BITFIELD(tp, syn_data) &&
	       !BPF_CORE_READ_BITFIELD(tp, syn_data_acked) &&
	       !(tp->inet_conn.icsk_pending == ICSK_TIME_LOSS_PROBE && timer_has_run_off(tp));
}

/*
 * tcp_xmit_retransmit_queue() sends what is marked as lost, and nothing else; the probe is the last segment sent, which
 * is not (tcp_send_loss_probe()). Its timer may be pending at a fast retransmission as well.
 */
INLINE __u8 type_of_retransmission(struct hook_call *call)
{
	struct tcp_skb_cb *segment = control_block(call->skb);

	if (segment->tcp_flags & TCPHDR_SYN)
		return segment->tcp_flags & TCPHDR_ACK ? RETRANSMIT_SYNACK : RETRANSMIT_SYN;
	if (congestion_state(call->tp) == TCP_CA_Loss)
		return type_in_loss(call);
	if (is_of_untaken_syn(call->tp))
		return RETRANSMIT_NON_CONGESTION;
	return call->tp->inet_conn.icsk_pending == ICSK_TIME_LOSS_PROBE && !(segment->sacked & TCPCB_LOST)
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
INLINE int acked_but_not_counted(struct hook_call *call, __u8 state)
{
	__u8 role = call->entry ? call->entry->role : read_role(call->tp, state);

	if (role == ROLE_CLIENT)
		return 0;
	return role == ROLE_SERVER ? 1 : -1;
}

INLINE void place_retransmission(struct retransmits_event *event, struct hook_call *call)
{
	__s32 ahead = (__s32)(event->seq_raw - call->tp->snd_una); /* below 0: some of it is acknowledged */
	int more = acked_but_not_counted(call, event->state);
	__u32 odd = 0;

	if (more < 0)
		return;
	event->seq = counted_between(ahead < 0 ? -(__s64)ahead : 0, call->tp->bytes_acked + more, &odd);
	count_anomalies(odd);
	if (odd)
		return;
	event->seq += ahead > 0 ? ahead : 0;
	event->end_seq = event->seq + (event->end_seq_raw - event->seq_raw);
	event->flags |= RETRANSMIT_PLACED;
}

INLINE void fill_retransmission(struct retransmits_event *event, struct hook_call *call, __u8 type)
{
	struct tcp_skb_cb *segment = control_block(call->skb);
	struct tcp_sock *tp = call->tp;

	event->type = type;
	event->state = call->sk->__sk_common.skc_state;
	event->congestion = congestion_state(tp);
	event->error = error_of_retransmission(call->error);
	event->flags = RETRANSMIT_FULL;
	event->seq_raw = segment->seq;
	event->end_seq_raw = segment->end_seq;
	event->segments = is_counted(event->error) ? segment->tcp_gso_segs : 0;
	event->bytes = call->skb->len;
	event->total_segments = tp->total_retrans;
	event->cwnd = tp->snd_cwnd;
	event->srtt_us = tp->srtt_us >> 3;
	place_retransmission(event, call);
}

#endif
