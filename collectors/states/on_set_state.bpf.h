/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_STATES_ON_SET_STATE_BPF_H
#define SOCKEYE_STATES_ON_SET_STATE_BPF_H

#include "collectors/states/emit_row.bpf.h"

/*
 * Two transitions come before all of the socket is known: CLOSE->SYN_SENT of an unbound client (the port is chosen right
 * after), and LISTEN->SYN_RECV of a child: before inet_csk_clone_lock() was reordered it still has its listener's tuple,
 * and that of an MPTCP listener is called MPTCP until it is clear which of the two the client speaks. They wait in the
 * record for syn_sent, or for the socket's next transition.
 */
INLINE int is_not_known_yet(struct moment *m)
{
	if (m->old_state == STATE_CLOSE && m->new_state == STATE_SYN_SENT)
		return !moment_port(m);
	if (m->old_state == STATE_LISTEN && m->new_state == STATE_SYN_RECV)
		return !remote_port(m->tp) || is_mptcp_subflow(m->tp);
	return 0;
}

INLINE void states_on_set_state(struct moment *m)
{
	struct states_sock *own = m->record ? &m->record->parts.states : 0;
	__u64 duration_ns = 0;

	if (own) {
		duration_ns = (m->time_ns - own->since_ns) * filter_differs(own->since_ns);
		own->since_ns = m->time_ns;
	}
	if (own && own->held_time_ns)
		emit_held_row(m, own);
	if (own && is_not_known_yet(m))
		hold_row(m, own, duration_ns);
	else
		emit_row(m, duration_ns);
}

#endif
