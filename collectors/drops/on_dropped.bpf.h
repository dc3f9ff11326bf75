/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_DROPS_ON_DROPPED_BPF_H
#define SOCKEYE_DROPS_ON_DROPPED_BPF_H

#include "collectors/drops/emit_drop.bpf.h"

/*
 * The last acknowledgement of a handshake, and the data behind it, at a listener with a full accept queue: there is no
 * room for the child (tcp_v4_syn_recv_sock()). Until 6.17 the kernel calls that NOT_SPECIFIED.
 */
INLINE int is_accept_overflow(struct packet *packet)
{
	return accept_queue_is_full(packet) && (packet->tcp_flags & (TCPHDR_ACK | TCPHDR_RST)) == TCPHDR_ACK;
}

INLINE void drops_on_dropped(struct hook_call *call)
{
	struct packet *packet = call->packet;
	struct drops_event *event = begin_drop(call, is_accept_overflow(packet) ? DROPS_ACCEPT_OVERFLOW : DROPS_DROP);

	if (!event)
		return;
	name_reason_of_drop(event, packet->reason);
	name_function(event->function, packet->location);
	submit_socket_event(&event->base, call);
}

#endif
