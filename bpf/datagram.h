/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: whose a UDP socket is. In socket storage, as nothing tells of its end; so only where tracing programs have
 * that (5.11) and may make it (not on PREEMPT_RT).
 */
#ifndef SOCKEYE_BPF_DATAGRAM_H
#define SOCKEYE_BPF_DATAGRAM_H

#include "bpf/guarded_owner.h"
#include "bpf/owning_process.h"
#include "bpf/read_sock.h"

/* Only where settings.follows_datagrams. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct guarded_owner);
} owner_in_datagram_socket SEC(".maps");

/* Made where `create` is set, with a cookie for the events of the socket; 0 where there is none. */
INLINE struct guarded_owner *datagram_owner(struct sock *sk, int create)
{
	if (!settings.follows_datagrams)
		return 0;
	if (create)
		socket_cookie(&sk->__sk_common);
	return bpf_sk_storage_get(&owner_in_datagram_socket, sk, 0, create ? BPF_SK_STORAGE_GET_F_CREATE : 0);
}

/* The process that has it; 0: none is known, or it has ended. */
INLINE struct owner *living_datagram_owner(struct sock *sk)
{
	struct guarded_owner *whose = datagram_owner(sk, 0);

	if (!whose || whereabouts_of(shown_owner(whose)) == OWNER_HAS_LEFT)
		return 0;
	return shown_owner(whose);
}

#endif
