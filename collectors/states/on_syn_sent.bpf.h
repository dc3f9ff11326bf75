/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_STATES_ON_SYN_SENT_BPF_H
#define SOCKEYE_STATES_ON_SYN_SENT_BPF_H

#include "collectors/states/emit_transition.bpf.h"

INLINE void states_on_syn_sent(struct hook_call *call)
{
	struct states_sock *own = entry_part(call->entry, states);

	if (own->held_time_ns)
		emit_held_event(call, own);
}

#endif
