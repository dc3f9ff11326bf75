/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_COUNTS_ON_TICK_STATE_BPF_H
#define SOCKEYE_COUNTS_ON_TICK_STATE_BPF_H

#include "bpf/moment.h"
#include "collectors/counts/counts.event.h"

INLINE void counts_on_tick_state(struct moment *m)
{
	struct counts_visit visit = { .state = m->state };

	if (m->mini) {
		visit.socket = (__u64)m->mini;
		visit.is_mini = 1;
	} else {
		visit.socket = (__u64)m->tp;
	}

	/* Where the file's buffer is full the kernel comes back to this socket with an empty one. */
	bpf_seq_write(m->file, &visit, sizeof(visit));
}

#endif
