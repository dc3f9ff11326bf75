/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 3: a process uses a socket, in its own context: what the hooks of this kind have in common. */
#ifndef SOCKEYE_BPF_USE_H
#define SOCKEYE_BPF_USE_H

#include "bpf/datagram.h"
#include "bpf/hook_call.h"
#include "bpf/owner_by_cookie.h"

/* A process sends or receives on a UDP socket: of these nothing else is known, and there is no hook for them. */
INLINE void datagram_touched(struct sock *sk)
{
	struct guarded_owner *whose;
	struct owner *place;

	if (!settings.follows_datagrams || BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) || current_is_kernel_thread())
		return;
	whose = datagram_owner(sk, 1);
	if (!whose || is_known_owner(shown_owner(whose), OWNER_USE))
		return;
	place = begin_owner(whose);
	if (!place)
		return;
	read_current(place, OWNER_USE);
	note_owning_process(place, 0);
	end_owner(whose);
}

/*
 * The process is the owner now, or the socket is the kernel's, and its next use need not be looked at. Noted first, asked
 * then: another one that has become the owner meanwhile, on another CPU, has forgotten this note or finds it gone.
 */
INLINE void owner_used_it(struct hook_call *call)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct owner *owner;

	if (!call->entry)
		return;
	note_last_use(call->cookie);
	owner = shown_owner(&call->entry->whose);
	if (owner->pid != pid && owner->source != OWNER_KERNEL)
		forget_last_use(call->cookie);
}

/*
 * A use of an MPTCP connection by a process that was not known for its owner: for its first subflow, whose entry is there,
 * it is a call like that of a TCP socket. The subflow is only an address: it can be read where pointers are cast.
 */
INLINE int open_connection_use(struct hook_call *call, struct sock *sk, __u8 source)
{
	struct mptcp_sock *connection = (struct mptcp_sock *)sk;
	struct sock *first;

	if (!connection_touched(sk, source) || !settings.tcp_sock_type)
		return 0;
	first = BPF_CORE_READ(connection, first);
	if (!first)
		return 0;
	call->tp = bpf_rdonly_cast(first, settings.tcp_sock_type);
	call->sk = (struct sock *)call->tp;
	call->entry = own_entry(find_entry(first, ENTRY_FIND), &call->sk->__sk_common);
	if (!call->entry)
		return 0;
	call->cookie = call->entry->cookie;
	adopt_owner(call->entry, (__u64)sk->__sk_common.skc_cookie.counter);
	return 1;
}

/*
 * Whether it is a call of a TCP socket, which then has its owner: not where that process has used it before, and nobody
 * else since.
 */
INLINE int open_use(struct hook_call *call, struct sock *sk, __u8 source)
{
	struct tcp_sock *tp;

	if (!is_tcp_socket(sk)) {
		if (is_mptcp_connection(sk))
			return open_connection_use(call, sk, source);
		if (is_udp_socket(sk))
			datagram_touched(sk);
		return 0;
	}
	if (current_used_it_last((__u64)sk->__sk_common.skc_cookie.counter))
		return 0;
	tp = readable_tcp(sk);
	if (!tp)
		return 0;
	open_call(call, sk, tp, ENTRY_CREATE, 0);
	settle_role(call, sk->__sk_common.skc_state, 0);
	if (call->entry)
		owner_touches(call->entry, tp, source);
	if (source == OWNER_USE)
		owner_used_it(call);
	return 1;
}

#endif
