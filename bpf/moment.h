/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 3: a moment of a socket, as the handlers get it: one clock read, one record, the owner already right. */
#ifndef SOCKEYE_BPF_MOMENT_H
#define SOCKEYE_BPF_MOMENT_H

#include "bpf/filter.h"
#include "bpf/owner.h"
#include "bpf/role.h"

struct moment {
	struct sock *sk;            /* 0 where `mini` is set; helpers take this one */
	struct tcp_sock *tp;        /* the same socket, to read from */
	struct sock_common *mini;   /* tick_*, synack_retransmitted: a minisocket or a request, which has no record */
	struct seq_file *file;      /* tick_*: what user space reads of the iterator; write_event() */
	struct sock_record *record; /* 0 where none could be had */
	/* Where it is known without a record, whose it is, also of `mini`; 0: unknown. */
	struct owner *owner;
	struct sk_buff *skb;          /* retransmitted: what is sent again */
	struct request_sock *request; /* synack_retransmitted: of the handshake */
	/* In place of what the socket says: dropped, ...: the ends of a packet; connect_returned: what was asked for. */
	struct socket_id *id;
	struct packet *packet; /* dropped, syn_dropped, reset_*: bpf/packet.h */
	__u64 time_ns;         /* CLOCK_BOOTTIME; where the list at stamp_moment() says so, 0 until that is called */
	__u64 cookie;
	__u32 judged;      /* filters: record->changes when moment_passes() was asked */
	__u8 old_state;    /* set_state: STATE_* */
	__u8 new_state;    /* set_state: STATE_* */
	__u8 state;        /* tick_*, synack_retransmitted: STATE_* */
	__u8 role;         /* where there is no record: ROLE_* */
	__u8 lacks_record; /* there is none since there was no room */
	int error; /* connect_returned: errno; retransmitted: 0, or why it did not go out, negative errno or NET_XMIT_* */
};

/*
 * sent, received and accepted come more often than anybody asks for their time, and set_state where sockets are only
 * counted: there it is read where it is needed.
 */
INLINE void stamp_moment(struct moment *m)
{
	if (!m->time_ns)
		m->time_ns = bpf_ktime_get_boot_ns();
}

/* Between handlers: what one has found out about the moment does not multiply the ways through the next. */
INLINE void forget_moment(struct moment *m)
{
	forget_values(&m->judged, sizeof(*m) - __builtin_offsetof(struct moment, judged));
}

/* An id of our own where the kernel gives none: the time of the first sight and the CPU it happened on. */
INLINE __u64 own_cookie(void)
{
	return 1ull << 63 | (bpf_ktime_get_boot_ns() << 8) >> 1 | (bpf_get_smp_processor_id() & 0x7f);
}

INLINE void clean_record(struct sock_record *record)
{
	record->last_accept_ns = 0;
	record->role = ROLE_UNKNOWN;
	record->children_by = 0;
	record->stale_port = 0;
	record->lacks_port = 0;
	record->role_settled = 0;
	__builtin_memset(&record->parts, 0, sizeof(record->parts));
	__builtin_memset(record->whose.owners, 0, sizeof(record->whose.owners));
	record_changed(record);
}

/* A record that belonged to another socket at this address starts clean; so does that of a socket that is just born. */
INLINE void adopt_record(struct moment *m, int is_born)
{
	struct sock_record *record = m->record;

	if (!settings.has_socket_cookie && !is_born && record->cookie >> 63) {
		m->cookie = record->cookie;
		return;
	}
	if (!settings.has_socket_cookie && !m->cookie)
		m->cookie = own_cookie();
	if (record->cookie && (is_born || record->cookie != m->cookie))
		clean_record(record);
	record->cookie = m->cookie;
}

/*
 * Until inet_csk_clone_lock() was reordered (after 6.12), a child says LISTEN->SYN_RECV before it has its tuple, and
 * its cookie is set later still: it must not be asked for now. The record takes it at the next moment.
 *
 * A run that only counts wants no records: there a moment has no cookie either.
 */
INLINE void open_moment(struct moment *m, struct sock *sk, struct tcp_sock *tp, int create, int is_born)
{
	m->sk = sk;
	m->tp = tp;
	if (!settings.wants_records)
		return;
	m->cookie = is_born && !remote_port(tp) ? 0 : socket_cookie(&sk->__sk_common);
	m->record = find_record(sk, create);
	if (m->record) {
		adopt_record(m, is_born);
		return;
	}
	if (create)
		counters.records_refused = 1;
	m->lacks_record = (__u8)counters.records_refused;
}

/*
 * At CLOSE->SYN_SENT or CLOSE->LISTEN a socket that is not bound has no port yet, but may have that of the connection
 * before in inet_sport. Where the attempt ends before it got one, nothing else tells that it has none.
 */
INLINE void note_stale_port(struct moment *m)
{
	m->record->stale_port = bound_port(m->tp) ? 0 : local_port(m->tp);
}

/* The local port; 0: it has none, or none yet. `error`: connect() has failed, maybe before it began. */
INLINE __u16 moment_port(struct moment *m)
{
	__u16 port = bound_port(m->tp);

	if (port || m->old_state == STATE_CLOSE || m->error)
		return port;
	port = local_port(m->tp);
	return m->record && port == m->record->stale_port ? 0 : port;
}

#define SOCKET_UNCONNECTED 1 /* SS_UNCONNECTED of <linux/net.h> */

/*
 * connect() is at work and has not sent the SYN: __inet_stream_connect() calls it SS_CONNECTING when that has worked. MPTCP
 * connects its subflows in other ways: of those it is known where inet_hash_connect() has found no port.
 */
INLINE int is_in_connect(struct moment *m)
{
	struct socket *socket = ((struct sock *)m->tp)->sk_socket;

	if (is_mptcp_subflow(m->tp))
		return !moment_port(m);
	return socket && socket->state == SOCKET_UNCONNECTED;
}

/*
 * The role of a socket that is older than the run, by its counters, as soon as it is met. state: STATE_* that it is in, of a
 * transition the old one. held: its lock is, and its counters stand still. A subprogram: whatever it finds, the verifier
 * goes on in one way.
 */
static __attribute__((noinline, unused)) void find_role(struct moment *m, __u8 state, int held)
{
	struct sock_record *record = m->record;

	if (!record)
		return;
	record->role = held ? read_role(m->tp, state) : read_role_unlocked(m->tp, state);
	record_changed(record);
}

INLINE void settle_role(struct moment *m, __u8 state, int held)
{
	if (m->record && !(m->record->role_settled | m->record->role))
		find_role(m, state, held);
}

INLINE void read_moment_id(struct socket_id *id, struct moment *m)
{
	if (m->id)
		*id = *m->id;
	else if (m->mini)
		read_mini_id(id, m->mini);
	else {
		read_socket_id(id, m->sk, m->tp);
		id->lport = moment_port(m);
	}
}

/*
 * What filters look at: the moment's own id, or that of its socket, read into `room`. Where a record knows the role, it is
 * that; an id of its own without a record has it already.
 */
INLINE struct socket_id *id_to_judge(struct socket_id *room, struct moment *m)
{
	struct socket_id *id = m->id;

	if (!id) {
		read_moment_id(room, m);
		id = room;
	}
	if (m->record || id == room)
		id->role = m->record ? m->record->role : m->role;
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
INLINE struct owner *moment_owner(struct moment *m)
{
	return m->record ? shown_owner(&m->record->whose) : m->owner;
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
 * record until something changes. What the number of changes was is read before the rest: one that comes meanwhile, as
 * another CPU may send on the socket, leaves a verdict that is not taken again. Nothing holds that is not decided, or
 * was said while a port was not known, nor what was said of a packet (a listener has others) or of what was asked for.
 */
INLINE int moment_passes(struct moment *m)
{
	struct sock_record *record = m->id ? 0 : m->record;
	__u32 changes = 0, verdict;
	struct socket_id room = {}, *id;

	if (!filters.active)
		return 1;
	if (record) {
		m->judged = *(volatile __u32 *)&record->changes;
		changes = m->judged << VERDICT_BITS;
		verdict = *(volatile __u32 *)&record->verdict ^ changes;
		if (verdict == VERDICT_PASSES || verdict == VERDICT_FAILS || verdict == VERDICT_NO_ROLE)
			return verdict_lets_pass(verdict);
	}
	id = id_to_judge(&room, m);
	verdict = verdict_of_filters(id, moment_owner(m), 0, 0);
	if (record && id->lport && id->rport)
		*(volatile __u32 *)&record->verdict = changes | verdict;
	return verdict_lets_pass(verdict);
}

/*
 * The same for events whose src is who opened the connection, and asked for `asked` (0: for what its socket has). The record keeps
 * one verdict, of events whose src is local.
 */
INLINE int moment_passes_by_opener(struct moment *m, struct asked_end *asked)
{
	struct socket_id room = {};

	if (!filters.active || (!asked && !filter_names_printed_ends(&filters)))
		return moment_passes(m);
	if (m->record)
		m->judged = *(volatile __u32 *)&m->record->changes;
	return verdict_lets_pass(verdict_of_filters(id_to_judge(&room, m), moment_owner(m), 1, asked));
}

#endif
