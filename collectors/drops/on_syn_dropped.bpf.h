/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_DROPS_ON_SYN_DROPPED_BPF_H
#define SOCKEYE_DROPS_ON_SYN_DROPPED_BPF_H

#include "collectors/drops/emit_drop.bpf.h"

/* Where the queue has room the listener had another reason, which nothing tells: too many half-open requests, no
 * memory. */
INLINE void drops_on_syn_dropped(struct hook_call *call)
{
	struct drops_event *event =
		begin_drop(call, accept_queue_is_full(call->packet) ? DROPS_ACCEPT_OVERFLOW : DROPS_DROP);

	if (event)
		submit_socket_event(&event->base, call);
}

#endif
