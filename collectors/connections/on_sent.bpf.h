/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_SENT_BPF_H
#define SOCKEYE_CONNECTIONS_ON_SENT_BPF_H

#include "collectors/connections/emit.bpf.h"

INLINE void connections_on_sent(struct hook_call *call)
{
	connections_on_use(call);
}

#endif
