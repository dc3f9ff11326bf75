/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 1: differences of what is only counted up. The one place of the kernel side that subtracts counters, which
 * tools/check_counters.py sees to: counters that do not fit together (TCP_REPAIR sets some of a socket's, a socket is read
 * while another CPU writes it) give 0 and are counted, and nothing unsigned goes below 0.
 * Pure functions of plain numbers: unit tests compile them on the host.
 */
#ifndef SOCKEYE_BPF_COUNTER_H
#define SOCKEYE_BPF_COUNTER_H

#ifdef __bpf__
#include "bpf/base.h"
#else
#include "event/wire.h"
#endif

#ifndef INLINE
#define INLINE static inline
#endif

INLINE void count_anomalies(__u32 found)
{
#ifdef __bpf__
	if (found)
		__sync_fetch_and_add(&counters.anomalies, found);
#else
	(void)found;
#endif
}

/*
 * What was counted from `before` to `now`; where that is less, 0, and one more in `odd`. Without a branch, which the
 * verifier would follow two ways from: the top bit of this is what subtraction borrows.
 */
INLINE __u64 counted_between(__u64 before, __u64 now, __u32 *odd)
{
	__u64 borrowed = ((~now & before) | ((~now | before) & (now - before))) >> 63;

#ifdef __bpf__
	__asm__("" : "+r"(borrowed)); /* or the compiler makes a branch of it */
#endif
	*odd += (__u32)borrowed;
	return (now - before) & (borrowed - 1);
}

/*
 * The same of a counter of 32 bits that begins anew behind 2^32 - 1: what is more than half of that was less than before.
 */
INLINE __u32 wrapped_between(__u32 before, __u32 now, __u32 *odd)
{
	__u32 forward = now - before, is_less = forward >> 31;

#ifdef __bpf__
	__asm__("" : "+r"(is_less));
#endif
	*odd += is_less;
	return forward & (is_less - 1);
}

#endif
