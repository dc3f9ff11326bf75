/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 3: a process uses a socket, in its own context: what the moments of that kind have in common. */
#ifndef SOCKEYE_BPF_USE_H
#define SOCKEYE_BPF_USE_H

#include "bpf/moment.h"
#include "bpf/owner_by_cookie.h"

/*
 * Whether it is a moment of a TCP socket, which then has its owner. A use of an MPTCP connection is noted for its
 * subflows, and is none. `timed`: somebody looks at the time.
 */
INLINE int open_use(struct moment *m, struct sock *sk, __u8 source, int timed)
{
	struct tcp_sock *tp;

	if (sk->sk_protocol != TCP_PROTOCOL) {
		if (sk->sk_protocol == MPTCP_PROTOCOL)
			connection_touched(sk, source);
		return 0;
	}
	tp = readable_tcp(sk);
	if (!tp)
		return 0;
	if (timed)
		m->time_ns = bpf_ktime_get_boot_ns();
	open_moment(m, sk, tp, 1, 0);
	if (m->record)
		owner_touches(m->record, tp, source);
	return 1;
}

#endif
