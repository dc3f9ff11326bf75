/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_CONNECT_RETURNED_BPF_H
#define SOCKEYE_CONNECTIONS_ON_CONNECT_RETURNED_BPF_H

#include "collectors/connections/emit.bpf.h"

/* It goes on (EINPROGRESS, EALREADY), is done (EISCONN), or was interrupted (EINTR). Numbers of <asm-generic/errno.h>. */
INLINE int connections_is_no_failure(__u8 error)
{
	return error == 115 || error == 114 || error == 106 || error == 4;
}

/* The failure of an attempt that was in SYN_SENT is told by now, and its error comes here after. */
INLINE int connections_was_told(struct moment *m)
{
	struct connections_sock *own = m->record ? &m->record->parts.connections : 0;
	__u8 *told;

	if (own)
		return own->awaits || own->told_error == m->error;
	told = bpf_map_lookup_elem(&connections_told, &m->cookie);
	return m->cookie && told && *told == m->error;
}

INLINE void connections_on_connect_returned(struct moment *m)
{
	struct connections_event *event;

	if (connections_is_no_failure(m->error) || connections_was_told(m))
		return;
	if (m->record)
		m->record->role = ROLE_CLIENT;
	event = connections_reserve(m, CONNECTIONS_CONNECT, 0);
	if (!event)
		return;
	event->base.socket.role = ROLE_CLIENT;
	__builtin_memcpy(event->base.socket.raddr, m->asked, sizeof(event->daddr));
	event->base.socket.rport = m->asked_port;
	__builtin_memcpy(event->daddr, m->asked, sizeof(event->daddr));
	event->dport = m->asked_port;
	event->outcome = connections_outcome_of(m->error);
	event->error = m->error;
	submit_socket_event_by_opener(&event->base, m);
}

#endif
