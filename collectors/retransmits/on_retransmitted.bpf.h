/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_RETRANSMITS_ON_RETRANSMITTED_BPF_H
#define SOCKEYE_RETRANSMITS_ON_RETRANSMITTED_BPF_H

#include "collectors/retransmits/read_retransmit.bpf.h"

/* The type comes first: it is remembered for those that follow, whatever passes the filters. */
INLINE void retransmits_on_retransmitted(struct hook_call *call)
{
	__u8 type = type_of_retransmission(call);
	struct retransmits_event *event;

	if (!filter_passes_state(&filters, call->sk->__sk_common.skc_state) || !passes_filters(call))
		return;
	event = reserve_event(retransmits_event, RETRANSMITS_KIND, call);
	if (!event)
		return;
	fill_socket_event(&event->base, call);
	read_context(&event->base.context);
	fill_retransmission(event, call, type);
	submit_socket_event(&event->base, call);
}

#endif
