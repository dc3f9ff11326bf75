/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 3: a process uses a socket, in its own context: what the moments of that kind have in common. */
#ifndef SOCKEYE_BPF_USE_H
#define SOCKEYE_BPF_USE_H

#include "bpf/datagram.h"
#include "bpf/moment.h"
#include "bpf/owner_by_cookie.h"

/* A process sends or receives on a UDP socket: of these nothing else is known, and there is no moment for them. */
INLINE void datagram_touched(struct sock *sk)
{
	struct owner *owner;

	if (!settings.follows_datagrams || BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) || current_is_kernel_thread())
		return;
	owner = datagram_owner(sk, 1);
	if (owner && !is_known_owner(owner, OWNER_USE))
		read_current(owner, OWNER_USE);
}

/*
 * The process is the owner now, and its next use need not be looked at. Noted first, asked then: another one that has become
 * the owner meanwhile, on another CPU, has forgotten this note or finds it gone.
 */
INLINE void owner_used_it(struct moment *m)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (!m->record)
		return;
	note_last_use(m->cookie);
	if (*(volatile __u32 *)&m->record->owner.pid != pid)
		forget_last_use(m->cookie);
}

/*
 * Whether it is a moment of a TCP socket, which then has its owner: not where that process has used it before, and nobody
 * else since. A use of an MPTCP connection is noted for its subflows, and is none.
 */
INLINE int open_use(struct moment *m, struct sock *sk, __u8 source)
{
	struct tcp_sock *tp;

	if (sk->sk_protocol != TCP_PROTOCOL) {
		if (sk->sk_protocol == MPTCP_PROTOCOL)
			connection_touched(sk, source);
		else if (sk->sk_protocol == UDP_PROTOCOL)
			datagram_touched(sk);
		return 0;
	}
	if (current_used_it_last((__u64)sk->__sk_common.skc_cookie.counter))
		return 0;
	tp = readable_tcp(sk);
	if (!tp)
		return 0;
	open_moment(m, sk, tp, 1, 0);
	if (m->record)
		owner_touches(m->record, tp, source);
	if (source == OWNER_USE)
		owner_used_it(m);
	return 1;
}

#endif
