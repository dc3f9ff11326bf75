/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: owners learned where the entry of the socket is out of reach, until an event of that socket takes them.
 *
 * MPTCP: a process has a socket of protocol 262, the connection; the TCP sockets below it, its subflows, are the kernel's,
 * connected and closed by whoever runs. What is known of the connection holds for all its subflows, which find it by the
 * cookie of mptcp_subflow_context.conn. An entry outlives its connection's CLOSE, as subflows are closed after that; a
 * cookie is not given twice.
 *
 * accept() seen as a system call: from the descriptor only probe reads lead to the socket, which may be an MPTCP one, and
 * these have no entry.
 */
#ifndef SOCKEYE_BPF_OWNER_BY_COOKIE_H
#define SOCKEYE_BPF_OWNER_BY_COOKIE_H

#include "bpf/owner.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct owner);
} owner_by_cookie SEC(".maps");

/* The entry takes what was learned of the socket with this cookie, or keeps what it has. */
INLINE void adopt_owner(struct sock_entry *entry, __u64 cookie)
{
	struct owner *known = bpf_map_lookup_elem(&owner_by_cookie, &cookie);

	if (known)
		hand_over(entry, known);
}

/* Of the MPTCP connection above a subflow; 0: nobody has asked for it. Only where settings.follows_connections. */
INLINE __u64 connection_cookie(struct tcp_sock *tp)
{
	struct mptcp_subflow_context *subflow = tp->inet_conn.icsk_ulp_data;

	return (__u64)BPF_CORE_READ(subflow, conn, __sk_common.skc_cookie.counter);
}

INLINE void current_owns(__u64 cookie, __u8 source)
{
	struct owner owner = {};

	read_current(&owner, source);
	note_owning_process(&owner, 0);
	bpf_map_update_elem(&owner_by_cookie, &cookie, &owner, BPF_ANY);
}

/* A process connects an MPTCP socket; or the kernel does, one of its own. */
INLINE void connection_opened(struct sock *sk)
{
	__u64 cookie;

	if (!settings.follows_connections)
		return;
	cookie = socket_cookie(&sk->__sk_common);
	if (BPF_CORE_READ_BITFIELD(sk, sk_kern_sock)) {
		struct owner kernel = { .source = OWNER_KERNEL };

		bpf_map_update_elem(&owner_by_cookie, &cookie, &kernel, BPF_ANY);
	} else {
		current_owns(cookie, OWNER_CONNECT);
	}
}

/* A process sends, receives, shuts down or closes on an MPTCP socket. Whether it was not known for the owner yet. */
INLINE int connection_touched(struct sock *sk, __u8 source)
{
	struct owner *known;
	__u64 cookie;

	if (!settings.follows_connections || BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) || current_is_kernel_thread())
		return 0;
	cookie = socket_cookie(&sk->__sk_common);
	known = bpf_map_lookup_elem(&owner_by_cookie, &cookie);
	if (known && is_known_owner(known, source))
		return 0;
	current_owns(cookie, source);
	return 1;
}

/* A process holds an MPTCP socket that was there before: the first met of several. */
INLINE void connection_held(struct sock *sk, struct task_struct *task)
{
	struct owner owner = {};
	__u64 cookie;

	if (!settings.follows_connections)
		return;
	cookie = socket_cookie(&sk->__sk_common);
	read_owner(&owner, task, OWNER_SNAPSHOT);
	note_owning_process(&owner, 0);
	if (!bpf_map_update_elem(&owner_by_cookie, &cookie, &owner, BPF_NOEXIST))
		counters.snapshot_owned++;
}

#endif
