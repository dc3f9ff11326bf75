/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_LIFETIMES_ON_SET_STATE_BPF_H
#define SOCKEYE_LIFETIMES_ON_SET_STATE_BPF_H

#include "collectors/lifetimes/emit_life.bpf.h"

INLINE void lifetimes_on_set_state(struct hook_call *call)
{
	struct lifetimes_sock *own = call->entry ? entry_part(call->entry, lifetimes) : 0;

	if (call->new_state != TCP_CLOSE) {
		if (own)
			remember_life(own, call);
	} else if (call->old_state != TCP_LISTEN) {
		emit_life(call, own);
	}
}

#endif
