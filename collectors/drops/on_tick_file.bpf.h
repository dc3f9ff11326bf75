/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_DROPS_ON_TICK_FILE_BPF_H
#define SOCKEYE_DROPS_ON_TICK_FILE_BPF_H

#include "bpf/listeners.h"

INLINE void drops_on_tick_file(struct moment *m)
{
	if (m->sk->__sk_common.skc_state == STATE_LISTEN)
		watch_listener(m);
}

#endif
