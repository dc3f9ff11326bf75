/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 1: what sk_err says of a socket's end. Pure functions of plain numbers: unit tests compile them on the host.
 *
 * An error may be left in sk_err that has ended nothing, until somebody asks for it: with IP_RECVERR what ICMP says of a
 * connection (tcp_v4_err(), tcp_v6_err()), and what is wrong with a TLS record (tls_err_abort()).
 */
#ifndef SOCKEYE_BPF_SOCK_ERROR_H
#define SOCKEYE_BPF_SOCK_ERROR_H

#include "bpf/errno.h"
#include "bpf/filter.h"

/*
 * 0 or 1, without a branch, like error_has_ended(). tcp_write_err() says ETIMEDOUT, or what ICMP said meanwhile.
 * gave_up: retransmissions or probes are without an answer.
 */
INLINE int error_is_timeout(__u32 error, __u32 soft_error, __u32 gave_up)
{
	return (filter_differs(error ^ ETIMEDOUT) ^ 1) |
	       (filter_differs(error) & filter_differs(gave_up) & (filter_differs(error ^ soft_error) ^ 1));
}

/*
 * Whether it is what has ended a socket that goes from `old_state` to CLOSE: tcp_reset(), tcp_abort(), or a timer. Before
 * a connection is established any error ends the attempt; what was left before that tcp_connect_init() has cleared.
 */
INLINE int error_has_ended(__u8 old_state, __u32 error, __u32 soft_error, __u32 gave_up)
{
	const __u32 attempts = 1 << TCP_SYN_SENT | 1 << TCP_SYN_RECV;
	__u32 any_counts = attempts >> (old_state & 31) & (__u32)filter_differs(error);
	__u32 misses = (__u32)(filter_differs(error ^ ECONNRESET) & filter_differs(error ^ ECONNABORTED) &
			       filter_differs(error ^ EPIPE));

	return (int)((any_counts | (misses ^ 1)) & 1) | error_is_timeout(error, soft_error, gave_up);
}

#endif
