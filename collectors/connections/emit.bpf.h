/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The events of `connections`, for its handlers. */
#ifndef SOCKEYE_CONNECTIONS_EMIT_BPF_H
#define SOCKEYE_CONNECTIONS_EMIT_BPF_H

#include "bpf/emit.h"
#include "collectors/connections/connections.event.h"

/* Numbers of <asm-generic/errno-base.h> and <asm-generic/errno.h>. */
INLINE __u8 connections_outcome_of(int error)
{
	switch (error) {
	case 1:  /* EPERM */
	case 13: /* EACCES */
		return CONNECTIONS_DENIED;
	case 98: /* EADDRINUSE */
	case 99: /* EADDRNOTAVAIL */
		return CONNECTIONS_NO_LOCAL_PORT;
	case 100: /* ENETDOWN */
	case 101: /* ENETUNREACH */
		return CONNECTIONS_NET_UNREACHABLE;
	case 103: /* ECONNABORTED */
		return CONNECTIONS_ABORTED;
	case 110: /* ETIMEDOUT */
		return CONNECTIONS_TIMED_OUT;
	case 111: /* ECONNREFUSED */
		return CONNECTIONS_REFUSED;
	case 112: /* EHOSTDOWN */
	case 113: /* EHOSTUNREACH */
		return CONNECTIONS_HOST_UNREACHABLE;
	}
	return CONNECTIONS_FAILED;
}

/*
 * The error of the last attempt that failed after its first SYN, by the socket's cookie: for connect() seen as a system
 * call, where the socket's record is out of reach.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} connections_told SEC(".maps");

/* The ends as they are shown: SRC opened the connection. */
INLINE void connections_fill_ends(struct connections_event *event, int is_client)
{
	struct socket_id *id = &event->base.socket;

	__builtin_memcpy(event->saddr, is_client ? id->laddr : id->raddr, sizeof(event->saddr));
	__builtin_memcpy(event->daddr, is_client ? id->raddr : id->laddr, sizeof(event->daddr));
	event->sport = is_client ? id->lport : id->rport;
	event->dport = is_client ? id->rport : id->lport;
}

/* since_ns 0: it is not known how long it took. */
INLINE struct connections_event *connections_reserve(struct moment *m, __u8 event_type, __u64 since_ns)
{
	struct connections_event *event;

	if (!moment_passes_by_opener(m))
		return 0;
	event = reserve_event(connections_event, CONNECTIONS_KIND, m);
	if (!event)
		return 0;
	fill_socket_event(&event->base, m);
	read_context(&event->base.context);
	connections_fill_ends(event, event_type == CONNECTIONS_CONNECT);
	event->event_type = event_type;
	if (since_ns) {
		event->duration_ns = m->time_ns - since_ns;
		event->flags = CONNECTIONS_DURATION_KNOWN;
	}
	return event;
}

INLINE void connections_emit_connect(struct moment *m, __u8 outcome, __u8 error)
{
	struct connections_sock *own = m->record ? &m->record->parts.connections : 0;
	struct connections_event *event;

	if (own)
		own->awaits = 0;
	event = connections_reserve(m, CONNECTIONS_CONNECT, own ? own->since_ns : 0);
	if (!event)
		return; /* at once: before 6.4 the verifier does not know that it was compared with 0 already */
	event->outcome = outcome;
	event->error = error;
	event->retransmits = m->tp->total_retrans;
	submit_socket_event_by_opener(&event->base, m);
}

INLINE void connections_emit_accept(struct moment *m)
{
	struct connections_sock *own = m->record ? &m->record->parts.connections : 0;
	struct connections_event *event;

	if (own)
		own->awaits = 0;
	event = connections_reserve(m, CONNECTIONS_ACCEPT, own ? own->since_ns : 0);
	if (event)
		submit_socket_event_by_opener(&event->base, m);
}

/* A process uses a socket: if it is a child that nobody had before, it was accepted, though accept() was not seen. */
INLINE void connections_emit_if_taken(struct moment *m)
{
	if (m->record && m->record->parts.connections.awaits == CONNECTIONS_AWAITS_PROCESS &&
	    m->record->owner.source != OWNER_INHERITED && m->record->owner.source != OWNER_UNKNOWN)
		connections_emit_accept(m);
}

#endif
