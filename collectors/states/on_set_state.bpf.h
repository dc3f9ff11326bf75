/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_STATES_ON_SET_STATE_BPF_H
#define SOCKEYE_STATES_ON_SET_STATE_BPF_H

#include "collectors/states/emit_transition.bpf.h"

/*
 * Two transitions come before all of the socket is known: CLOSE->SYN_SENT of an unbound client (the port is chosen right
 * after), and LISTEN->SYN_RECV of a child: before inet_csk_clone_lock() was reordered it still has its listener's tuple,
 * and that of an MPTCP listener is called MPTCP until it is clear which of the two the client speaks. They wait in the
 * entry for syn_sent, or for the socket's next transition.
 */
INLINE int is_not_known_yet(struct hook_call *call)
{
	if (call->old_state == TCP_CLOSE && call->new_state == TCP_SYN_SENT)
		return !call_port(call);
	if (call->old_state == TCP_LISTEN && call->new_state == TCP_SYN_RECV)
		return !remote_port(call->tp) || is_mptcp_subflow(call->tp);
	return 0;
}

INLINE void states_on_set_state(struct hook_call *call)
{
	struct states_sock *own = call->entry ? entry_part(call->entry, states) : 0;
	__u64 duration_ns = 0;

	if (own) {
		duration_ns = (call->time_ns - own->since_ns) * filter_differs(own->since_ns);
		own->since_ns = call->time_ns;
	}
	if (own && own->held_time_ns)
		emit_held_event(call, own);
	if (own && is_not_known_yet(call))
		hold_event(call, own, duration_ns);
	else
		emit_event(call, duration_ns);
}

#endif
