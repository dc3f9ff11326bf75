/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_DROPS_ON_RESET_SENT_BPF_H
#define SOCKEYE_DROPS_ON_RESET_SENT_BPF_H

#include "collectors/drops/emit_drop.bpf.h"

INLINE void drops_on_reset_sent(struct hook_call *call)
{
	struct drops_event *event = begin_drop(call, DROPS_RESET_SENT);

	if (!event)
		return;
	name_reason_of_reset(event, call->packet->reason);
	submit_socket_event(&event->base, call);
}

#endif
