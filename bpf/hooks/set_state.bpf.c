/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The hook set_state: a TCP socket goes from one state to another, under its lock. */
#include "bpf/minisocket_owner.h"
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
	const __u32 aborted = 1 << TCP_LISTEN | 1 << TCP_SYN_SENT | 1 << TCP_ESTABLISHED | 1 << TCP_CLOSE_WAIT;

	if (new_state == TCP_FIN_WAIT1 || new_state == TCP_LAST_ACK)
		return 1;
	if (old_state == TCP_LISTEN && sk->sk_shutdown != SHUTDOWN_MASK)
		return 0;
	return new_state == TCP_CLOSE &&
	       (aborted >> (old_state & 31) & 1 & ~ended_by_error(sk, (__u8)old_state, gave_up));
}

INLINE int is_state_pair(struct hook_call *call, __u8 old_state, __u8 new_state)
{
	return call->old_state == old_state && call->new_state == new_state;
}

/* Before it owns anything, the socket gets its role, and is found by its children if it listens. */
INLINE void begins_to_listen(struct hook_call *call)
{
	struct sock_entry *entry = call->entry;

	entry->role = ROLE_LISTENER;
	entry->lacks_port = !call_port(call);
	owner_acts(entry, call->tp, OWNER_LISTEN);
	remember_listener(call->sk, call->tp, entry);
}

/* A process that neither is a child of the owner nor comes to a listener that nobody is known to own. */
INLINE int is_of_stranger(struct owner *process, struct owner *owner)
{
	return owner->source != OWNER_UNKNOWN && process->ppid != owner->pid;
}

/* The accept of a child that was seen as a system call, which finds neither the entry nor the listener. */
INLINE void adopt_accept(struct hook_call *call)
{
	struct sock_entry *entry = call->entry, *listener;
	struct owner *owner;

	adopt_owner(entry, call->cookie);
	owner = shown_owner(&entry->whose);
	if (owner->source != OWNER_ACCEPT)
		return;
	listener = parent_of(call->sk, call->tp);
	if (!listener || shown_owner(&listener->whose)->pid == owner->pid)
		return;
	if (!listener->shares_end)
		hand_over(listener, owner);
	else if (is_of_stranger(owner, shown_owner(&listener->whose)))
		nobody_owns(listener);
}

INLINE void owner_on_set_state(struct hook_call *call)
{
	struct sock_entry *entry = call->entry;
	int by_lock_owner = locked_by_current(call->sk);

	/* The only states that a socket gets addresses or a role in. */
	if (call->old_state == TCP_CLOSE || call->old_state == TCP_LISTEN) {
		entry->role_settled = 1;
		entry_changed(entry);
	} else {
		settle_role(call, call->old_state, 1);
	}
	if (call->old_state == TCP_CLOSE)
		note_stale_port(call);
	if (is_state_pair(call, TCP_LISTEN, TCP_CLOSE))
		forget_listener(call->sk, call->tp, entry);
	if (settings.learns_accepts && shown_owner(&entry->whose)->source == OWNER_INHERITED)
		adopt_accept(call);
	if (is_state_pair(call, TCP_LISTEN, TCP_SYN_RECV)) {
		entry->role = ROLE_SERVER;
		owner_inherited(entry, parent_of(call->sk, call->tp));
	} else if (is_state_pair(call, TCP_CLOSE, TCP_LISTEN) && by_lock_owner) {
		begins_to_listen(call);
	} else if (settings.follows_connections && is_mptcp_subflow(call->tp)) {
		if (is_state_pair(call, TCP_CLOSE, TCP_SYN_SENT))
			entry->role = role_of_connect(call->tp);
		adopt_owner(entry, connection_cookie(call->tp));
	} else if (is_state_pair(call, TCP_CLOSE, TCP_SYN_SENT) && by_lock_owner) {
		entry->role = role_of_connect(call->tp);
		owner_acts(entry, call->tp, OWNER_CONNECT);
	} else if (by_lock_owner &&
		   made_by_its_user(call->sk, call->old_state, call->new_state, has_given_up(call->tp))) {
		owner_ends(entry, call->tp);
	}
	forget_departed_owner(entry, is_held(call->tp));
}

/*
 * An MPTCP connection has states of its own and no rows. Who connects, shuts down or closes it does so here; its subflows
 * are connected and closed by whoever runs, often a kernel thread.
 */
INLINE void connection_changes(struct sock *sk, int old_state, int new_state)
{
	if (settings.learns_accepts && old_state == TCP_LISTEN)
		socket_cookie(&sk->__sk_common); /* by which accept() finds it */
	if (!locked_by_current(sk))
		return;
	if (old_state == TCP_CLOSE && new_state == TCP_SYN_SENT)
		connection_opened(sk);
	else if (made_by_its_user(sk, old_state, new_state, 0) && !current_only_reads())
		connection_touched(sk, OWNER_USE);
}

INLINE int run_set_state(struct sock *sk, int old_state, int new_state)
{
	struct hook_call call = { .old_state = (__u8)old_state, .new_state = (__u8)new_state };
	int how = new_state != TCP_CLOSE ? ENTRY_CREATE : ENTRY_FIND;
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
	if (settings.wants_entries && has_handlers_set_state())
		stamp_call(&call);
	open_call(&call, sk, tp, how, old_state == TCP_LISTEN && new_state == TCP_SYN_RECV);
	if (call.entry)
		owner_on_set_state(&call);
	forget_call(&call);
	handlers_set_state(&call);
	if (call.entry && settings.wants_afterlife)
		remember_afterlife(&call);
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
