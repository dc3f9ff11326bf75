/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_DROPS_ON_SET_STATE_BPF_H
#define SOCKEYE_DROPS_ON_SET_STATE_BPF_H

#include "bpf/listeners.h"

INLINE void drops_on_set_state(struct hook_call *call)
{
	if (call->new_state == TCP_LISTEN)
		watch_listener(call);
	else if (call->old_state == TCP_LISTEN && call->new_state == TCP_SYN_RECV)
		watch_listener_of(call);
	else if (call->old_state == TCP_LISTEN && call->new_state == TCP_CLOSE)
		unwatch_listener(call);
}

#endif
