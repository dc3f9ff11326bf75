/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_ACCEPTED_BPF_H
#define SOCKEYE_CONNECTIONS_ON_ACCEPTED_BPF_H

#include "collectors/connections/emit.bpf.h"

/* Also of a child that was there before sockeye, of which nothing is remembered. */
INLINE void connections_on_accepted(struct moment *m)
{
	connections_emit_accept(m);
}

#endif
