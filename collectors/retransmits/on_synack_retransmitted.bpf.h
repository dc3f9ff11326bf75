/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_RETRANSMITS_ON_SYNACK_RETRANSMITTED_BPF_H
#define SOCKEYE_RETRANSMITS_ON_SYNACK_RETRANSMITTED_BPF_H

#include "collectors/retransmits/read_retransmit.bpf.h"

/* One segment, which is counted. The kernel counts it in the request when the event is over. */
INLINE void fill_synack(struct retransmits_event *event, struct hook_call *call)
{
	struct tcp_request_sock *request = bpf_skc_to_tcp_request_sock(call->request);

	event->type = RETRANSMIT_SYNACK;
	event->state = call->state;
	event->segments = 1;
	event->end_seq = 1;
	event->flags = RETRANSMIT_PLACED;
	if (request) { /* always: the tracepoint has no other requests */
		event->seq_raw = request->snt_isn;
		event->end_seq_raw = request->snt_isn + 1;
	}
	if (call->tp) {
		event->flags |= RETRANSMIT_FULL;
		event->congestion = congestion_state(call->tp);
		event->total_segments = call->tp->total_retrans;
		event->cwnd = call->tp->snd_cwnd;
		event->srtt_us = call->tp->srtt_us >> 3;
	} else {
		event->total_segments = call->request->num_retrans + 1;
	}
}

INLINE void retransmits_on_synack_retransmitted(struct hook_call *call)
{
	struct retransmits_event *event;

	if (!filter_passes_state(&filters, call->state) || !passes_filters(call))
		return;
	event = reserve_event(retransmits_event, RETRANSMITS_KIND, call);
	if (!event)
		return;
	fill_socket_event(&event->base, call);
	read_context(&event->base.context);
	fill_synack(event, call);
	submit_socket_event(&event->base, call);
}

#endif
