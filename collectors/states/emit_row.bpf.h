/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rows of `states`, for its handlers. */
#ifndef SOCKEYE_STATES_EMIT_ROW_BPF_H
#define SOCKEYE_STATES_EMIT_ROW_BPF_H

#include "bpf/emit.h"
#include "bpf/outcome.h"
#include "collectors/states/states.event.h"

/* duration_ns: in the old state; 0: its start was not seen. */
INLINE void emit_row(struct moment *m, __u64 duration_ns)
{
	struct states_event *event;

	if (!moment_passes(m) || !filter_passes_transition(&filters, m->old_state, m->new_state))
		return;
	event = reserve_event(states_event, STATES_KIND, m);
	if (!event)
		return;
	fill_socket_event(&event->base, m);
	read_context(&event->base.context);
	event->old_state = m->old_state;
	event->new_state = m->new_state;
	event->outcome = outcome_of_close(m->tp, m->old_state, m->new_state);
	if (event->outcome == OUTCOME_TIME_WAIT) {
		event->new_state = STATE_TIME_WAIT;
		event->derived = 1;
	}
	/* The row stays the kernel's own, into CLOSE: that much is certain, and mostly it is all there is. */
	if (event->outcome == OUTCOME_TABLE_FULL)
		__sync_fetch_and_add(&counters.table_full, 1);
	if (duration_ns) {
		event->duration_ns = duration_ns;
		event->flags = STATES_DURATION_KNOWN;
	}
	submit_socket_event(&event->base, m);
}

/* The ports are not known yet: keep the transition in the socket's record, with all that passes with the moment. */
INLINE void hold_row(struct moment *m, struct states_sock *own, __u64 duration_ns)
{
	own->held_time_ns = m->time_ns;
	own->held_duration_ns = duration_ns;
	own->held_old = m->old_state;
	own->held_new = m->new_state;
	own->held_flags = STATES_HELD | (duration_ns ? STATES_DURATION_KNOWN : 0);
	read_context(&own->held_by);
}

/* The held row, with the ports of now and the time of then. */
INLINE void emit_held_row(struct moment *m, struct states_sock *own)
{
	struct moment then = { .time_ns = own->held_time_ns };
	struct states_event *event;

	own->held_time_ns = 0;
	if (!moment_passes(m))
		return;
	event = reserve_event(states_event, STATES_KIND, &then);
	if (!event)
		return;
	fill_socket_event(&event->base, m);
	event->base.context = own->held_by;
	event->old_state = own->held_old;
	event->new_state = own->held_new;
	event->duration_ns = own->held_duration_ns;
	event->flags = own->held_flags;
	submit_socket_event(&event->base, m);
}

#endif
