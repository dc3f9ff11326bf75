/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_RETRANSMIT_TOTALS_ON_SYNACK_RETRANSMITTED_BPF_H
#define SOCKEYE_RETRANSMIT_TOTALS_ON_SYNACK_RETRANSMITTED_BPF_H

#include "collectors/retransmit_totals/count_row.bpf.h"

INLINE void retransmit_totals_on_synack_retransmitted(struct hook_call *call)
{
	struct retransmitted what = { .segments = 1, .type = RETRANSMIT_SYNACK };

	if (!filter_passes_state(&filters, call->state) || !passes_filters(call))
		return;
	count_retransmission(call, &what);
}

#endif
