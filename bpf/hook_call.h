/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 3: a hook of a socket, as the handlers get it: one clock read, one entry, the owner already right. */
#ifndef SOCKEYE_BPF_HOOK_CALL_H
#define SOCKEYE_BPF_HOOK_CALL_H

#include "bpf/filter.h"
#include "bpf/owner.h"
#include "bpf/role.h"

struct hook_call {
	struct sock *sk;          /* 0 where `mini` is set; helpers take this one */
	struct tcp_sock *tp;      /* the same socket, to read from */
	struct sock_common *mini; /* visit_*, synack_retransmitted: a minisocket or a request, which has no entry */
	struct seq_file *file;    /* visit_*: what user space reads of the iterator; write_event() */
	struct sock_entry *entry; /* 0 where none could be had */
	/* Where it is known without an entry, whose it is, also of `mini`; 0: unknown. */
	struct owner *owner;
	struct sk_buff *skb;          /* retransmitted: what is sent again */
	struct request_sock *request; /* synack_retransmitted: of the handshake */
	/* In place of what the socket says: dropped, ...: the ends of a packet; connect_returned: what was asked for. */
	struct socket_id *id;
	struct packet *packet; /* dropped, syn_dropped, reset_*: bpf/packet.h */
	const char *path;      /* process_exec: of the program, as it was asked for: an address */
	__u64 time_ns;         /* CLOCK_BOOTTIME; where the list at stamp_call() says so, 0 until that is called */
	__u64 cookie;
	__u32 judged;     /* filters: entry->changes when passes_filters() was asked */
	__u8 old_state;   /* set_state: TCP state */
	__u8 new_state;   /* set_state: TCP state */
	__u8 state;       /* visit_*, synack_retransmitted: TCP state */
	__u8 role;        /* where there is no entry: ROLE_* */
	__u8 lacks_entry; /* there is none since there was no room */
	int error; /* connect_returned: errno; retransmitted: 0, or why it did not go out, negative errno or NET_XMIT_* */
};

/*
 * sent, received and accepted come more often than anybody asks for their time, and set_state where sockets are only
 * counted: there it is read where it is needed.
 */
INLINE void stamp_call(struct hook_call *call)
{
	if (!call->time_ns)
		call->time_ns = bpf_ktime_get_boot_ns();
}

/* Between handlers: what one has found out about the hook does not multiply the ways through the next. */
INLINE void forget_call(struct hook_call *call)
{
	forget_values(&call->judged, sizeof(*call) - __builtin_offsetof(struct hook_call, judged));
}

/* An id of our own where the kernel gives none: the time of the first sight and the CPU it happened on. */
INLINE __u64 own_cookie(void)
{
	return 1ull << 63 | (bpf_ktime_get_boot_ns() << 8) >> 1 | (bpf_get_smp_processor_id() & 0x7f);
}

INLINE void clean_entry(struct sock_entry *entry)
{
	entry->last_accept_ns = 0;
	entry->role = ROLE_UNKNOWN;
	reset_children_by(entry);
	entry->stale_port = 0;
	entry->lacks_port = 0;
	entry->role_settled = 0;
	clean_parts(entry);
	__builtin_memset(entry->whose.owners, 0, sizeof(entry->whose.owners));
	entry_changed(entry);
}

/* An entry that belonged to another socket at this address starts clean; so does that of a socket that is just born. */
INLINE void adopt_entry(struct hook_call *call, int is_born)
{
	struct sock_entry *entry = call->entry;

	if (!settings.has_socket_cookie && !is_born && entry->cookie >> 63) {
		call->cookie = entry->cookie;
		return;
	}
	if (!settings.has_socket_cookie && !call->cookie)
		call->cookie = own_cookie();
	if (entry->cookie && (is_born || entry->cookie != call->cookie))
		clean_entry(entry);
	entry->cookie = call->cookie;
}

/*
 * Until inet_csk_clone_lock() was reordered (after 6.12), a child says LISTEN->SYN_RECV before it has its tuple, and
 * its cookie is set later still: it must not be asked for now. The entry takes it at the next hook.
 *
 * A run that only counts wants no entries: there a hook has no cookie either.
 */
INLINE void open_call(struct hook_call *call, struct sock *sk, struct tcp_sock *tp, int how, int is_born)
{
	call->sk = sk;
	call->tp = tp;
	if (!settings.wants_entries)
		return;
	call->cookie = is_born && !remote_port(tp) ? 0 : socket_cookie(&sk->__sk_common);
	call->entry = find_entry(sk, how);
	if (call->entry) {
		adopt_entry(call, is_born);
		return;
	}
	if (how != ENTRY_FIND)
		counters.entries_refused = 1;
	call->lacks_entry = (__u8)counters.entries_refused;
}

/*
 * At CLOSE->SYN_SENT or CLOSE->LISTEN a socket that is not bound has no port yet, but may have that of the connection
 * before in inet_sport. Where the attempt ends before it got one, nothing else tells that it has none.
 */
INLINE void note_stale_port(struct hook_call *call)
{
	call->entry->stale_port = bound_port(call->tp) ? 0 : local_port(call->tp);
}

/* The local port; 0: it has none, or none yet. `error`: connect() has failed, maybe before it began. */
INLINE __u16 call_port(struct hook_call *call)
{
	__u16 port = bound_port(call->tp);

	if (port || call->old_state == TCP_CLOSE || call->error)
		return port;
	port = local_port(call->tp);
	return call->entry && port == call->entry->stale_port ? 0 : port;
}

#define SS_UNCONNECTED 1 /* <linux/net.h> */

/*
 * connect() is at work and has not sent the SYN: __inet_stream_connect() calls it SS_CONNECTING when that has worked. MPTCP
 * connects its subflows in other ways: of those it is known where inet_hash_connect() has found no port.
 */
INLINE int is_in_connect(struct hook_call *call)
{
	struct socket *socket = ((struct sock *)call->tp)->sk_socket;

	if (is_mptcp_subflow(call->tp))
		return !call_port(call);
	return socket && socket->state == SS_UNCONNECTED;
}

/*
 * The role of a socket that is older than the run, by its counters, as soon as it is met. state: that it is in, of a
 * transition the old one. held: its lock is, and its counters stand still. A subprogram: whatever it finds, the verifier
 * goes on in one way.
 */
static __attribute__((noinline, unused)) void find_role(struct hook_call *call, __u8 state, int held)
{
	struct sock_entry *entry = call->entry;

	if (!entry)
		return;
	entry->role = held ? read_role(call->tp, state) : read_role_unlocked(call->tp, state);
	entry_changed(entry);
}

INLINE void settle_role(struct hook_call *call, __u8 state, int held)
{
	if (call->entry && !(call->entry->role_settled | call->entry->role))
		find_role(call, state, held);
}

INLINE void read_call_id(struct socket_id *id, struct hook_call *call)
{
	if (call->id)
		*id = *call->id;
	else if (call->mini)
		read_mini_id(id, call->mini);
	else {
		read_socket_id(id, call->sk, call->tp);
		id->lport = call_port(call);
	}
}

/*
 * What filters look at: the hook's own id, or that of its socket, read into `room`. Where an entry knows the role, it is
 * that; an id of its own without an entry has it already.
 */
INLINE struct socket_id *id_to_judge(struct socket_id *room, struct hook_call *call)
{
	struct socket_id *id = call->id;

	if (!id) {
		read_call_id(room, call);
		forget_values(room, sizeof(*room)); /* or each way to read it would lead through the filters */
		id = room;
	}
	if (call->entry || id == room)
		id->role = call->entry ? call->entry->role : call->role;
	return id;
}

/* What user space says of containers and cgroups. Only where there is a --container. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, CONTAINER_VERDICTS);
	__type(key, struct container_key);
	__type(value, __u32); /* VERDICT_* */
} verdict_by_container SEC(".maps");

/* An event of a cgroup that there is no word of yet passes: user space looks at it, and gives its verdict. */
INLINE __u32 verdict_of_container(struct owner *owner)
{
	struct container_key key;
	__u32 *verdict;

	if (!filter_knows(owner) || !owner->cgroup_id)
		return filters.containers & FILTER_CONTAINERS_WANTED ? VERDICT_FAILS : VERDICT_PASSES;
	key = filter_container_key(owner, filters.containers & FILTER_CONTAINERS_BY_PROCESS);
	verdict = bpf_map_lookup_elem(&verdict_by_container, &key);
	return verdict ? *verdict : VERDICT_UNDECIDED;
}

/* Whose the socket is; 0: nothing is known of it. */
INLINE struct owner *call_owner(struct hook_call *call)
{
	return call->entry ? shown_owner(&call->entry->whose) : call->owner;
}

/*
 * `owner` 0: nothing is known of it. by_opener: src is who opened the connection, not who is here; `asked`: what that process
 * asked for, 0: what its socket has.
 */
INLINE __u32 verdict_of_filters(struct socket_id *id, struct owner *owner, int by_opener, struct asked_end *asked)
{
	__u32 verdict;

	if (by_opener ? !filter_passes_any_role_by_opener(&filters, id, owner, asked)
		      : !filter_passes_any_role(&filters, id, owner))
		return VERDICT_FAILS;
	verdict = filters.containers ? verdict_of_container(owner) : VERDICT_PASSES;
	if (verdict == VERDICT_FAILS || filter_direction(&filters, id))
		return verdict;
	return id->role == ROLE_UNKNOWN ? VERDICT_NO_ROLE : VERDICT_FAILS;
}

/* What an event that was judged so comes to. Whoever is left out without being known is counted. */
INLINE int verdict_lets_pass(__u32 verdict)
{
	if (filters.direction && verdict == VERDICT_NO_ROLE)
		__sync_fetch_and_add(&counters.without_role, 1);
	return verdict < VERDICT_FAILS;
}

/*
 * Whether this run wants events of this socket. Ask before anything is put into the ring. The verdict stays in the
 * entry until something changes. What the number of changes was is read before the rest: one that comes meanwhile, as
 * another CPU may send on the socket, leaves a verdict that is not taken again. Nothing holds that is not decided, or
 * was said while a port was not known, nor what was said of a packet (a listener has others) or of what was asked for.
 */
INLINE int passes_filters(struct hook_call *call)
{
	struct sock_entry *entry = call->id ? 0 : call->entry;
	__u32 changes = 0, verdict;
	struct socket_id room = {}, *id;

	if (!filters.active)
		return 1;
	if (entry) {
		call->judged = *(volatile __u32 *)&entry->changes;
		changes = call->judged << VERDICT_BITS;
		verdict = *(volatile __u32 *)&entry->verdict ^ changes;
		if (verdict == VERDICT_PASSES || verdict == VERDICT_FAILS || verdict == VERDICT_NO_ROLE)
			return verdict_lets_pass(verdict);
	}
	id = id_to_judge(&room, call);
	verdict = verdict_of_filters(id, call_owner(call), 0, 0);
	if (entry && id->lport && id->rport)
		*(volatile __u32 *)&entry->verdict = changes | verdict;
	return verdict_lets_pass(verdict);
}

/* The same of an event of a process that is about no socket. */
INLINE int passes_filters_of_process(struct owner *process)
{
	if (!filter_passes_process(&filters, process))
		return 0;
	return !filters.containers || verdict_of_container(process) != VERDICT_FAILS;
}

/*
 * The same for events whose src is who opened the connection, and asked for `asked` (0: for what its socket has). The entry keeps
 * one verdict, of events whose src is local.
 */
INLINE int passes_filters_by_opener(struct hook_call *call, struct asked_end *asked)
{
	struct socket_id room = {};

	if (!filters.active || (!asked && !filter_names_printed_ends(&filters)))
		return passes_filters(call);
	if (call->entry)
		call->judged = *(volatile __u32 *)&call->entry->changes;
	return verdict_lets_pass(verdict_of_filters(id_to_judge(&room, call), call_owner(call), 1, asked));
}

#endif
