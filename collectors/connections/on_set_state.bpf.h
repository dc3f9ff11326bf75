/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_SET_STATE_BPF_H
#define SOCKEYE_CONNECTIONS_ON_SET_STATE_BPF_H

#include "collectors/connections/emit.bpf.h"

/*
 * Whether connect() will be seen to come back with why it failed. Not where MPTCP or the kernel call something else for
 * it, and not where its address could not be read.
 */
INLINE int connections_return_tells(struct moment *m)
{
	if (!settings.sees_connect_errors || is_mptcp_subflow(m->tp))
		return 0;
	return settings.sees_connect_calls ? !is_kernel_socket(m->tp) : settings.may_probe_read;
}

/*
 * tcp_v4_connect() fails between SYN_SENT and the SYN, without a word in sk_err. Mostly inet_hash_connect() has no port to
 * send from: for a socket without one, or for one that was bound, as the same connection is there or in TIME_WAIT.
 */
INLINE void connections_failed_in_connect(struct moment *m)
{
	if (connections_return_tells(m)) {
		if (m->record)
			m->record->parts.connections.awaits = 0;
		return;
	}
	connections_set_told(m, CONNECTIONS_TOLD_ANY);
	if (local_port(m->tp))
		connections_emit_connect(m, CONNECTIONS_FAILED, 0);
	else
		connections_emit_connect(m, CONNECTIONS_NO_LOCAL_PORT, EADDRNOTAVAIL);
}

/*
 * A client's socket goes to CLOSE before it was connected. The error is in sk_err by now: tcp_reset(), tcp_write_err()
 * and tcp_v4_err() set it before tcp_done(). Without one, it was a system call that ended it.
 */
INLINE void connections_not_connected(struct moment *m)
{
	__u8 error = (__u8)m->sk->sk_err;

	if (is_in_connect(m->tp)) {
		connections_failed_in_connect(m);
		return;
	}
	connections_set_told(m, error);
	if (error)
		connections_emit_connect(m, connections_outcome_of_answer(error), error);
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
	/* The state alone says it of one that was on its way before sockeye was there, or has no record. */
	int is_client = m->old_state == STATE_SYN_SENT || (own && own->awaits == CONNECTIONS_AWAITS_OUTCOME);

	if (m->new_state == STATE_SYN_SENT) {
		connections_set_told(m, 0);
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
