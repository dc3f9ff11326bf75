/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_SET_STATE_BPF_H
#define SOCKEYE_CONNECTIONS_ON_SET_STATE_BPF_H

#include "collectors/connections/emit.bpf.h"

/*
 * A client's socket goes to CLOSE before it was connected. The error is in sk_err by now: tcp_reset(), tcp_write_err()
 * and tcp_v4_err() set it before tcp_done(). Without one it was tcp_v4_connect() that failed, which had no port to send
 * from (inet_hash_connect(): EADDRNOTAVAIL), or a system call that ended it.
 */
INLINE void connections_not_connected(struct moment *m)
{
	__u8 error = (__u8)m->sk->sk_err;

	if (!error && !local_port(m->tp))
		error = 99;
	if (m->record)
		m->record->parts.connections.told_error = error;
	if (settings.sees_connect_calls && m->cookie)
		bpf_map_update_elem(&connections_told, &m->cookie, &error, BPF_ANY);
	if (error)
		connections_emit_connect(m, connections_outcome_of(error), error);
	else
		connections_emit_connect(m, locked_by_current(m->sk) ? CONNECTIONS_CANCELLED : CONNECTIONS_FAILED, 0);
}

/* A child whose handshake is done waits for a process; a socket of the kernel's own, or one without a record, does not. */
INLINE void connections_child_established(struct moment *m)
{
	struct connections_sock *own = m->record ? &m->record->parts.connections : 0;

	if (own && own->awaits != CONNECTIONS_AWAITS_PROCESS)
		return; /* TCP Fast Open: it was accepted before */
	if (own)
		own->since_ns = m->time_ns;
	if (!own || m->record->owner.source == OWNER_KERNEL)
		connections_emit_accept(m);
}

INLINE void connections_on_set_state(struct moment *m)
{
	struct connections_sock *own = m->record ? &m->record->parts.connections : 0;
	int is_client = own ? own->awaits == CONNECTIONS_AWAITS_OUTCOME : m->old_state == STATE_SYN_SENT;

	if (m->new_state == STATE_SYN_SENT) {
		if (own) {
			own->awaits = CONNECTIONS_AWAITS_OUTCOME;
			own->since_ns = m->time_ns;
		}
	} else if (m->old_state == STATE_LISTEN && m->new_state == STATE_SYN_RECV) {
		if (own)
			own->awaits = CONNECTIONS_AWAITS_PROCESS;
	} else if (m->new_state == STATE_ESTABLISHED) {
		if (is_client)
			connections_emit_connect(m, CONNECTIONS_ESTABLISHED, 0);
		else if (m->old_state == STATE_SYN_RECV)
			connections_child_established(m);
	} else if (m->new_state == STATE_CLOSE && is_client) {
		connections_not_connected(m);
	} else {
		connections_emit_if_taken(m);
	}
}

#endif
