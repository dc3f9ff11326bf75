/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_SET_STATE_BPF_H
#define SOCKEYE_CONNECTIONS_ON_SET_STATE_BPF_H

#include "bpf/asked_address.h"
#include "collectors/connections/emit.bpf.h"

/*
 * Whether connect() will be seen to come back with why it failed. Not where MPTCP or the kernel call something else for
 * it, and not where its address could not be read.
 */
INLINE int connections_return_tells(struct hook_call *call)
{
	if (!settings.sees_connect_errors || is_mptcp_subflow(call->tp))
		return 0;
	return settings.sees_connect_calls ? !is_kernel_socket(call->tp) : settings.may_probe_read;
}

/*
 * A client's socket is ESTABLISHED, or goes to CLOSE before that. The error is in sk_err by then: tcp_reset(),
 * tcp_write_err() and tcp_v4_err() set it before tcp_done(). Without one, it was a system call that ended it.
 *
 * Between SYN_SENT and the SYN tcp_v4_connect() fails without a word in sk_err. Mostly inet_hash_connect() has no port to
 * send from: for a socket without one, or for one that was bound, as the same connection is there or in TIME_WAIT.
 */
INLINE struct connections_report connections_attempt_is_over(struct hook_call *call)
{
	const struct connections_report nothing = {};
	__u8 outcome = is_in_repair(call->tp) ? CONNECTIONS_REPAIRED : CONNECTIONS_ESTABLISHED;
	__u8 error = 0, told = CONNECTIONS_TOLD_ANY;

	if (call->new_state == TCP_CLOSE) {
		if (!is_in_connect(call)) {
			told = error = (__u8)call->sk->sk_err;
			outcome = locked_by_current(call->sk) ? CONNECTIONS_CANCELLED : CONNECTIONS_FAILED;
		} else if (connections_return_tells(call)) {
			if (call->entry)
				entry_part(call->entry, connections)->awaits = 0;
			return nothing;
		} else {
			error = call_port(call) ? 0 : EADDRNOTAVAIL;
			outcome = CONNECTIONS_FAILED;
		}
		connections_set_told(call, told);
	}
	return connections_report_connect(call, error, outcome);
}

/* A child whose handshake is done waits for a process; a socket of the kernel's own, or one without an entry, does not. */
INLINE struct connections_report connections_child_established(struct hook_call *call)
{
	const struct connections_report nothing = {};
	struct connections_sock *own = call->entry ? entry_part(call->entry, connections) : 0;

	if (own && own->awaits != CONNECTIONS_AWAITS_PROCESS)
		return nothing; /* TCP Fast Open: it was accepted before */
	if (own)
		own->since_ns = call->time_ns;
	if (!own || shown_owner(&call->entry->whose)->source == OWNER_KERNEL)
		return connections_report_accept(call);
	return nothing;
}

/*
 * A process that accepts or uses the socket tells of that itself. A packet that comes meanwhile, on another CPU, would find
 * the new owner, and tell of it once more; unless accept() is seen as a system call, which no handler is called for. The
 * subflows of MPTCP are closed by the kernel's worker, when their user has let go of the connection.
 */
INLINE int connections_ends_by_its_user(struct hook_call *call)
{
	return locked_by_current(call->sk) || (settings.learns_accepts && call->new_state == TCP_CLOSE) ||
	       (settings.follows_connections && is_mptcp_subflow(call->tp) &&
		(call->new_state == TCP_FIN_WAIT1 || call->new_state == TCP_LAST_ACK || call->new_state == TCP_CLOSE));
}

INLINE void connections_on_set_state(struct hook_call *call)
{
	struct connections_sock *own = call->entry ? entry_part(call->entry, connections) : 0;
	/* The state alone says it of one that was on its way before sockeye was there, or has no entry. */
	int is_client = call->old_state == TCP_SYN_SENT || (own && own->awaits == CONNECTIONS_AWAITS_OUTCOME);
	struct connections_report report = {};

	if (call->new_state == TCP_SYN_SENT) {
		connections_set_told(call, 0);
		if (own) {
			own->awaits = CONNECTIONS_AWAITS_OUTCOME;
			own->since_ns = call->time_ns;
			read_asked_end(&own->asked, call->tp);
		}
	} else if (call->old_state == TCP_LISTEN && call->new_state == TCP_SYN_RECV) {
		if (own)
			own->awaits = CONNECTIONS_AWAITS_PROCESS;
	} else if (is_client && (call->new_state == TCP_ESTABLISHED || call->new_state == TCP_CLOSE)) {
		report = connections_attempt_is_over(call);
	} else if (call->old_state == TCP_SYN_RECV && call->new_state == TCP_ESTABLISHED) {
		report = connections_child_established(call);
	} else if (connections_is_taken(call) && connections_ends_by_its_user(call)) {
		report = connections_report_accept(call);
	}
	connections_emit(call, &report);
}

#endif
