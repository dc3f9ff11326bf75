/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rows of `retransmit_totals`, for its handlers. */
#ifndef SOCKEYE_RETRANSMIT_TOTALS_COUNT_ROW_BPF_H
#define SOCKEYE_RETRANSMIT_TOTALS_COUNT_ROW_BPF_H

#include "bpf/emit.h"
#include "bpf/rows.h"
#include "collectors/retransmit_totals/retransmit_totals.event.h"
#include "collectors/retransmits/read_retransmit.bpf.h"

#define TOTALS_ROWS 8192 /* between two sweeps, a second apart; 330 bytes each, twice */

/* Of one connection only its lock's holder counts (of a request, one softirq or two: hence atomic): not by CPU. */
ROWS_MAP(retransmit_totals_rows_0, BPF_MAP_TYPE_HASH, TOTALS_ROWS, retransmit_totals_key, retransmit_totals_event);
ROWS_MAP(retransmit_totals_rows_1, BPF_MAP_TYPE_HASH, TOTALS_ROWS, retransmit_totals_key, retransmit_totals_event);
ROWS_BLANK(retransmit_totals_blank, retransmit_totals_event);

INLINE struct retransmit_totals_event *totals_row(const struct retransmit_totals_key *key)
{
	struct retransmit_totals_key no_key = {};
	__u32 zero = 0;
	void *blank = bpf_map_lookup_elem(&retransmit_totals_blank, &zero);

	if (!blank)
		return 0;
	if (*(volatile __u32 *)&rows_side)
		return row_in(&retransmit_totals_rows_1, key, &no_key, blank);
	return row_in(&retransmit_totals_rows_0, key, &no_key, blank);
}

/* The counts lie in the order of the types: an index costs the verifier one way through the program, a switch six. */
_Static_assert(RETRANSMIT_TIMEOUT == 1 && RETRANSMIT_NON_CONGESTION == 6, "types of retransmissions and their counts");
_Static_assert(__builtin_offsetof(struct retransmit_totals_event, non_congestion) -
			       __builtin_offsetof(struct retransmit_totals_event, timeout) ==
		       5 * sizeof(__u64),
	       "the counts of types lie together");

INLINE __u64 *count_of_type(struct retransmit_totals_event *row, __u8 type)
{
	__u32 index = type - RETRANSMIT_TIMEOUT;

	if (index > RETRANSMIT_NON_CONGESTION - RETRANSMIT_TIMEOUT)
		index = RETRANSMIT_NON_CONGESTION - RETRANSMIT_TIMEOUT;
	return &row->timeout + index;
}

struct retransmitted {
	__u64 segments, bytes;
	__u8 type, has_failed;
};

INLINE void count_retransmission(struct hook_call *call, const struct retransmitted *what)
{
	struct owner *owner = call_owner(call);
	struct retransmit_totals_key key = { .cookie = call->cookie, .is_row = 1 };
	struct retransmit_totals_event *row;

	if (!key.cookie)
		key.cookie = (__u64)call->request;
	if (owner) {
		key.start_ns = owner->start_ns;
		key.pid = owner->pid;
	}
	row = totals_row(&key);
	if (!row) /* never: the row with the key 0 is always there */
		return;
	if (!row->base.header.kind) {
		fill_header(row, RETRANSMIT_TOTALS_KIND, call);
		fill_socket_event(&row->base, call);
	}
	__sync_fetch_and_add(&row->segments, what->segments);
	if (what->bytes) /* of a constant 0 the compiler makes an atomic or, which 5.10 does not have */
		__sync_fetch_and_add(&row->bytes, what->bytes);
	__sync_fetch_and_add(count_of_type(row, what->type), what->segments);
	if (what->has_failed)
		__sync_fetch_and_add(&row->failed, what->segments);
}

#endif
