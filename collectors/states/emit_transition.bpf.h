/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The events of `states`, for its handlers. */
#ifndef SOCKEYE_STATES_EMIT_TRANSITION_BPF_H
#define SOCKEYE_STATES_EMIT_TRANSITION_BPF_H

#include "bpf/emit.h"
#include "bpf/outcome.h"
#include "collectors/states/states.event.h"

/* duration_ns: in the old state; 0: its start was not seen. */
INLINE void emit_event(struct hook_call *call, __u64 duration_ns)
{
	struct states_event *event;

	if (!passes_filters(call) || !filter_passes_transition(&filters, call->old_state, call->new_state))
		return;
	event = reserve_event(states_event, STATES_KIND, call);
	if (!event)
		return;
	fill_socket_event(&event->base, call);
	read_context(&event->base.context);
	event->old_state = call->old_state;
	event->new_state = call->new_state;
	event->outcome = outcome_of_close(call->tp, call->old_state, call->new_state);
	if (event->outcome == OUTCOME_TIME_WAIT) {
		event->new_state = TCP_TIME_WAIT;
		event->derived = 1;
	}
	/* The event stays the kernel's own, into CLOSE: that much is certain, and mostly it is all there is. */
	if (event->outcome == OUTCOME_TABLE_FULL)
		__sync_fetch_and_add(&counters.table_full, 1);
	if (duration_ns) {
		event->duration_ns = duration_ns;
		event->flags = STATES_DURATION_KNOWN;
	}
	submit_socket_event(&event->base, call);
}

/* The ports are not known yet: keep the transition in the socket entry, with all that is known only now. */
INLINE void hold_event(struct hook_call *call, struct states_sock *own, __u64 duration_ns)
{
	own->held_time_ns = call->time_ns;
	own->held_duration_ns = duration_ns;
	own->held_old = call->old_state;
	own->held_new = call->new_state;
	own->held_flags = STATES_HELD | (duration_ns ? STATES_DURATION_KNOWN : 0);
	read_context(&own->held_by);
}

/* The held event, with the ports of now and the time of then. */
INLINE void emit_held_event(struct hook_call *call, struct states_sock *own)
{
	struct hook_call then = { .time_ns = own->held_time_ns };
	struct states_event *event;

	own->held_time_ns = 0;
	if (!passes_filters(call))
		return;
	event = reserve_event(states_event, STATES_KIND, &then);
	if (!event)
		return;
	fill_socket_event(&event->base, call);
	event->base.context = own->held_by;
	event->old_state = own->held_old;
	event->new_state = own->held_new;
	event->duration_ns = own->held_duration_ns;
	event->flags = own->held_flags;
	submit_socket_event(&event->base, call);
}

#endif
