/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_RETRANSMIT_TOTALS_ON_RETRANSMITTED_BPF_H
#define SOCKEYE_RETRANSMIT_TOTALS_ON_RETRANSMITTED_BPF_H

#include "collectors/retransmit_totals/count_row.bpf.h"

INLINE void retransmit_totals_on_retransmitted(struct hook_call *call)
{
	__u8 error = error_of_retransmission(call->error);
	struct retransmitted what = { .type = type_of_retransmission(call), .has_failed = error != 0 };

	if (!is_counted(error) || !filter_passes_state(&filters, call->sk->__sk_common.skc_state) ||
	    !passes_filters(call))
		return;
	what.segments = control_block(call->skb)->tcp_gso_segs;
	what.bytes = call->skb->len;
	count_retransmission(call, &what);
}

#endif
