/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 1: what sk_err says of a socket's end. Pure functions of plain numbers: unit tests compile them on the host.
 *
 * An error may be left in sk_err that has ended nothing, until somebody asks for it: with IP_RECVERR what ICMP says of a
 * connection (tcp_v4_err(), tcp_v6_err()), and what is wrong with a record of kTLS (tls_err_abort()).
 */
#ifndef SOCKEYE_BPF_SOCK_ERROR_H
#define SOCKEYE_BPF_SOCK_ERROR_H

#include "bpf/errno.h"
#include "event/wire.h"

#ifndef INLINE
#define INLINE static inline
#endif

/* tcp_write_err() says ETIMEDOUT, or what ICMP said meanwhile. gave_up: retransmissions or probes are without an answer. */
INLINE int error_is_timeout(__u32 error, __u32 soft_error, __u32 gave_up)
{
	return error == ETIMEDOUT || (error && error == soft_error && gave_up);
}

/*
 * Whether it is what has ended a socket that goes from `old_state` to CLOSE: tcp_reset(), tcp_abort(), or a timer. Before
 * a connection is established any error ends the attempt; what was left before that tcp_connect_init() has cleared.
 */
INLINE int error_has_ended(__u8 old_state, __u32 error, __u32 soft_error, __u32 gave_up)
{
	if (old_state == STATE_SYN_SENT || old_state == STATE_SYN_RECV)
		return error != 0;
	return error == ECONNRESET || error == ECONNABORTED || error == EPIPE ||
	       error_is_timeout(error, soft_error, gave_up);
}

#endif
