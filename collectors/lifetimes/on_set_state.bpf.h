/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_LIFETIMES_ON_SET_STATE_BPF_H
#define SOCKEYE_LIFETIMES_ON_SET_STATE_BPF_H

#include "collectors/lifetimes/emit_life.bpf.h"

INLINE void lifetimes_on_set_state(struct moment *m)
{
	struct lifetimes_sock *own = m->record ? &m->record->parts.lifetimes : 0;

	if (m->new_state != STATE_CLOSE) {
		if (own)
			remember_life(own, m);
	} else if (m->old_state != STATE_LISTEN) {
		emit_life(m, own);
	}
}

#endif
