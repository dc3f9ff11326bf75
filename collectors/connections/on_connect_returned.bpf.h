/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_CONNECT_RETURNED_BPF_H
#define SOCKEYE_CONNECTIONS_ON_CONNECT_RETURNED_BPF_H

#include "collectors/connections/emit.bpf.h"

/* It goes on (EINPROGRESS, EALREADY), is done (EISCONN), or was interrupted (EINTR). Numbers of <asm-generic/errno.h>. */
INLINE int connections_is_no_failure(__u8 error)
{
	return error == 115 || error == 114 || error == 106 || error == 4;
}

/* Only of an attempt that never was in SYN_SENT: the failure of one that was is told, and its error comes here after. */
INLINE void connections_on_connect_returned(struct moment *m)
{
	struct connections_sock *own = m->record ? &m->record->parts.connections : 0;
	struct connections_event *event;

	if (!own || own->awaits || connections_is_no_failure(m->error) || own->told_error == m->error)
		return;
	m->record->role = ROLE_CLIENT;
	event = connections_reserve(m, CONNECTIONS_CONNECT, 0);
	if (!event)
		return;
	__builtin_memcpy(event->daddr, m->asked, sizeof(event->daddr));
	event->dport = m->asked_port;
	event->outcome = connections_outcome_of(m->error);
	event->error = m->error;
	submit_event(event);
}

#endif
