/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The moment set_state: a TCP socket goes from one state to another, under its lock. */
#include "bpf/afterlife.h"
#include "bpf/emit.h"
#include "bpf/owner_by_cookie.h"
#include "bpf/twin.h"
#include "gen/handlers_set_state.h"

TWIN_NOTES(set_state_notes);

/*
 * Whether it is a system call on the socket that makes this transition: shutdown(), close(), or an abort (SO_LINGER 0,
 * unread data), for which no error is to blame. A packet does it with the lock held by whoever looks at the socket: what
 * waits in its backlog is handled when an iterator (or `ss -i`) lets go of it. `ss -K` leaves ECONNABORTED, but on a
 * listener (tcp_abort()): there close() alone can be told, which has shut the socket down by then (__tcp_close()).
 */
INLINE int made_by_its_user(struct sock *sk, int old_state, int new_state, __u32 gave_up)
{
	const __u32 aborted = 1 << STATE_LISTEN | 1 << STATE_SYN_SENT | 1 << STATE_ESTABLISHED | 1 << STATE_CLOSE_WAIT;

	if (new_state == STATE_FIN_WAIT1 || new_state == STATE_LAST_ACK)
		return 1;
	if (old_state == STATE_LISTEN && sk->sk_shutdown != SHUT_DOWN_BOTH_WAYS)
		return 0;
	return new_state == STATE_CLOSE &&
	       (aborted >> (old_state & 31) & 1 & ~ended_by_error(sk, (__u8)old_state, gave_up));
}

INLINE int is_state_pair(struct moment *m, __u8 old_state, __u8 new_state)
{
	return m->old_state == old_state && m->new_state == new_state;
}

/* Before it owns anything, the socket gets its role, and is found by its children if it listens. */
INLINE void begins_to_listen(struct moment *m)
{
	struct sock_record *record = m->record;

	record->role = ROLE_LISTENER;
	record->lacks_port = !moment_port(m);
	owner_acts(record, m->tp, OWNER_LISTEN);
	remember_listener(m->sk, m->tp, record);
}

/* The accept of a child that was seen as a system call, which finds neither the record nor the listener. */
INLINE void adopt_accept(struct moment *m)
{
	struct sock_record *record = m->record, *listener;
	struct owner *owner;

	adopt_owner(record, m->cookie);
	owner = shown_owner(&record->whose);
	if (owner->source != OWNER_ACCEPT)
		return;
	listener = parent_of(m->sk, m->tp);
	if (listener && shown_owner(&listener->whose)->pid != owner->pid)
		hand_over(listener, owner);
}

INLINE void owner_on_set_state(struct moment *m)
{
	struct sock_record *record = m->record;
	int by_lock_owner = locked_by_current(m->sk);

	/* The only states that a socket gets addresses or a role in. */
	if (m->old_state == STATE_CLOSE || m->old_state == STATE_LISTEN) {
		record->role_settled = 1;
		record_changed(record);
	} else {
		settle_role(m, m->old_state, 1);
	}
	if (m->old_state == STATE_CLOSE)
		note_stale_port(m);
	if (is_state_pair(m, STATE_LISTEN, STATE_CLOSE))
		forget_listener(m->sk, m->tp, record);
	if (settings.learns_accepts && shown_owner(&record->whose)->source == OWNER_INHERITED)
		adopt_accept(m);
	if (is_state_pair(m, STATE_LISTEN, STATE_SYN_RECV)) {
		record->role = ROLE_SERVER;
		owner_inherited(record, parent_of(m->sk, m->tp));
	} else if (is_state_pair(m, STATE_CLOSE, STATE_LISTEN) && by_lock_owner) {
		begins_to_listen(m);
	} else if (settings.follows_connections && is_mptcp_subflow(m->tp)) {
		if (is_state_pair(m, STATE_CLOSE, STATE_SYN_SENT))
			record->role = role_of_connect(m->tp);
		adopt_owner(record, connection_cookie(m->tp));
	} else if (is_state_pair(m, STATE_CLOSE, STATE_SYN_SENT) && by_lock_owner) {
		record->role = role_of_connect(m->tp);
		owner_acts(record, m->tp, OWNER_CONNECT);
	} else if (by_lock_owner && made_by_its_user(m->sk, m->old_state, m->new_state, has_given_up(m->tp))) {
		owner_touches(record, m->tp, OWNER_USE);
	}
	forget_departed_owner(record, is_held(m->tp));
}

/*
 * An MPTCP connection has states of its own and no rows. Who connects, shuts down or closes it does so here; its subflows
 * are connected and closed by whoever runs, often a kernel thread.
 */
INLINE void connection_changes(struct sock *sk, int old_state, int new_state)
{
	if (settings.learns_accepts && old_state == STATE_LISTEN)
		socket_cookie(&sk->__sk_common); /* by which accept() finds it */
	if (!locked_by_current(sk))
		return;
	if (old_state == STATE_CLOSE && new_state == STATE_SYN_SENT)
		connection_opened(sk);
	else if (made_by_its_user(sk, old_state, new_state, 0))
		connection_touched(sk, OWNER_USE);
}

INLINE int run_set_state(struct sock *sk, int old_state, int new_state)
{
	struct moment m = { .old_state = (__u8)old_state, .new_state = (__u8)new_state };
	struct tcp_sock *tp;

	/* SCTP, DCCP and MPTCP sockets pass here too; and LAST_ACK->LAST_ACK is no transition. */
	if (!is_tcp_socket(sk) || old_state == new_state) {
		if (is_mptcp_connection(sk))
			connection_changes(sk, old_state, new_state);
		return 0;
	}
	if (!(settings.states_entered >> (new_state & 31) & 1))
		return 0;
	tp = readable_tcp(sk);
	if (!tp)
		return 0;
	if (settings.wants_records && has_handlers_set_state())
		stamp_moment(&m);
	open_moment(&m, sk, tp, new_state != STATE_CLOSE, old_state == STATE_LISTEN && new_state == STATE_SYN_RECV);
	if (m.record)
		owner_on_set_state(&m);
	forget_moment(&m);
	handlers_set_state(&m);
	if (m.record && settings.wants_afterlife)
		remember_afterlife(&m);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state__tp_btf, struct sock *sk, int old_state, int new_state)
{
	run_set_state(sk, old_state, new_state);
	leave_note(&set_state_notes, sk, new_state);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state__tp_btf__twin, struct sock *sk, int old_state, int new_state)
{
	if (take_note(&set_state_notes, sk, new_state))
		return 0;
	__sync_fetch_and_add(&counters.rescued, 1);
	return run_set_state(sk, old_state, new_state);
}
