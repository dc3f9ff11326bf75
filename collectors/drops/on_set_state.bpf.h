/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_DROPS_ON_SET_STATE_BPF_H
#define SOCKEYE_DROPS_ON_SET_STATE_BPF_H

#include "bpf/listeners.h"

INLINE void drops_on_set_state(struct moment *m)
{
	if (m->new_state == STATE_LISTEN)
		watch_listener(m);
	else if (m->old_state == STATE_LISTEN && m->new_state == STATE_SYN_RECV)
		watch_listener_of(m);
	else if (m->old_state == STATE_LISTEN && m->new_state == STATE_CLOSE)
		unwatch_listener(m);
}

#endif
