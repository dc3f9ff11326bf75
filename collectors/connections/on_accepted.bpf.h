/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_ACCEPTED_BPF_H
#define SOCKEYE_CONNECTIONS_ON_ACCEPTED_BPF_H

#include "collectors/connections/emit.bpf.h"

/*
 * Also of a child that was there before sockeye, of which nothing is remembered. One that is the kernel's own, or has no
 * entry, was told at the end of its handshake.
 */
INLINE void connections_on_accepted(struct hook_call *call)
{
	struct connections_sock *own = call->entry ? entry_part(call->entry, connections) : 0;

	if (own && (!own->since_ns || own->awaits == CONNECTIONS_AWAITS_PROCESS))
		connections_emit_accept(call);
}

#endif
