/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_DROPS_ON_VISIT_FILE_BPF_H
#define SOCKEYE_DROPS_ON_VISIT_FILE_BPF_H

#include "bpf/listeners.h"

INLINE void drops_on_visit_file(struct hook_call *call)
{
	if (call->sk->__sk_common.skc_state == TCP_LISTEN)
		watch_listener(call);
}

#endif
