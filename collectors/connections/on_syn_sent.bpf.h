/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_SYN_SENT_BPF_H
#define SOCKEYE_CONNECTIONS_ON_SYN_SENT_BPF_H

#include "collectors/connections/emit.bpf.h"

INLINE void connections_on_syn_sent(struct moment *m)
{
	struct connections_sock *own = &m->record->parts.connections;

	if (own->awaits == CONNECTIONS_AWAITS_OUTCOME)
		own->since_ns = m->time_ns;
}

#endif
