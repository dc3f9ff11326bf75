/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_@UPPER@_ON_SET_STATE_BPF_H
#define SOCKEYE_@UPPER@_ON_SET_STATE_BPF_H

#include "bpf/emit.h"
#include "collectors/@NAME@/@NAME@.event.h"

/* What the filters leave out is counted too: nth is of the socket, not of the stream. */
INLINE void @NAME@_on_set_state(struct hook_call *call)
{
	struct @NAME@_event *event;
	__u64 nth = 0;

	if (call->entry)
		nth = ++entry_part(call->entry, @NAME@)->changes;
	if (!passes_filters(call))
		return;
	event = reserve_event(@NAME@_event, @UPPER@_KIND, call);
	if (!event)
		return;
	fill_socket_event(&event->base, call);
	read_context(&event->base.context);
	event->nth = nth;
	submit_socket_event(&event->base, call);
}

#endif
