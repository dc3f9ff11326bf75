/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The events of `connections`, for its handlers. */
#ifndef SOCKEYE_CONNECTIONS_EMIT_BPF_H
#define SOCKEYE_CONNECTIONS_EMIT_BPF_H

#include "bpf/emit.h"
#include "bpf/errno.h"
#include "collectors/connections/connections.event.h"

/*
 * EACCES is what connect() says of a rule of this host. In sk_err, as set_state finds it, it is what tcp_v6_err() makes of
 * an ICMPv6 message: the rule is that of some other.
 */
INLINE __u8 connections_outcome_of(struct hook_call *call, int error)
{
	switch (error) {
	case EACCES:
		return call->new_state ? CONNECTIONS_HOST_UNREACHABLE : CONNECTIONS_DENIED;
	case EPERM:
		return CONNECTIONS_DENIED;
	case EADDRINUSE:
	case EADDRNOTAVAIL:
		return CONNECTIONS_NO_LOCAL_PORT;
	case ENETDOWN:
	case ENETUNREACH:
		return CONNECTIONS_NET_UNREACHABLE;
	case ECONNABORTED:
		return CONNECTIONS_ABORTED;
	case ETIMEDOUT:
		return CONNECTIONS_TIMED_OUT;
	case ECONNREFUSED:
		return CONNECTIONS_REFUSED;
	case EHOSTDOWN:
	case EHOSTUNREACH:
		return CONNECTIONS_HOST_UNREACHABLE;
	}
	return CONNECTIONS_FAILED;
}

/*
 * connections_sock.told_error by the socket's cookie: for connect() seen as a system call, where the socket's entry is
 * out of reach.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} connections_told SEC(".maps");

/* connections_sock.told_error. 0: what connect() returns next is not told yet. */
INLINE void connections_set_told(struct hook_call *call, __u8 error)
{
	if (call->entry)
		entry_part(call->entry, connections)->told_error = error;
	if (!settings.sees_connect_calls || !call->cookie)
		return;
	if (error)
		bpf_map_update_elem(&connections_told, &call->cookie, &error, BPF_ANY);
	else
		bpf_map_delete_elem(&connections_told, &call->cookie);
}

/* What the process asked for where the socket connects to something else; 0: it does not, or that is not known. */
INLINE struct asked_end *connections_asked(struct hook_call *call)
{
	struct connections_sock *own = call->entry && !call->id ? entry_part(call->entry, connections) : 0;

	if (!settings.reads_own_call || !own || !own->asked.is_other)
		return 0;
	return &own->asked;
}

/* The ends as they are shown: SRC opened the connection, DST is what it asked for. */
INLINE void connections_fill_ends(struct connections_event *event, int is_client, struct asked_end *asked)
{
	struct socket_id *id = &event->base.socket;

	__builtin_memcpy(event->saddr, is_client ? id->laddr : id->raddr, sizeof(event->saddr));
	__builtin_memcpy(event->daddr, is_client ? id->raddr : id->laddr, sizeof(event->daddr));
	event->sport = is_client ? id->lport : id->rport;
	event->dport = is_client ? id->rport : id->lport;
	if (!asked)
		return;
	__builtin_memcpy(event->nat_daddr, id->raddr, sizeof(event->nat_daddr));
	event->nat_dport = id->rport;
	__builtin_memcpy(event->daddr, asked->address, sizeof(event->daddr));
	event->dport = asked->port;
}

/* What is told of an attempt or an accept, beside what every event has. */
struct connections_report {
	struct asked_end *asked; /* 0: as the socket has it */
	__u64 since_ns;          /* 0: not known */
	__u32 retransmits;
	__u8 event_type; /* CONNECTIONS_CONNECT or _ACCEPT; 0: nothing is told */
	__u8 error;
	__u8 outcome;
	__u8 known; /* since_ns is, or may be 0 as the handshake is not over */
};

INLINE struct connections_event *connections_reserve(struct hook_call *call, struct connections_report *report)
{
	struct connections_event *event;

	if (!passes_filters_by_opener(call, report->asked))
		return 0;
	event = reserve_event(connections_event, CONNECTIONS_KIND, call);
	if (!event)
		return 0;
	fill_socket_event(&event->base, call);
	read_context(&event->base.context);
	return event;
}

/*
 * An accept on another CPU may have read its clock before the handshake was over here: that has waited for nothing.
 * Without branches, which the verifier would follow.
 */
INLINE void connections_emit(struct hook_call *call, struct connections_report *report)
{
	struct connections_event *event;
	__u64 took;

	forget_values(&report->since_ns, sizeof(*report) - __builtin_offsetof(struct connections_report, since_ns));
	forget_call(call);
	if (!report->event_type)
		return;
	event = connections_reserve(call, report);
	if (!event)
		return; /* at once: before 6.4 the verifier does not know that it was compared with 0 already */
	took = call->time_ns - report->since_ns;
	connections_fill_ends(event, report->event_type == CONNECTIONS_CONNECT, report->asked);
	event->event_type = report->event_type;
	event->duration_ns = took * filter_differs(report->since_ns) * filter_sign(~took);
	event->flags = (__u8)(filter_differs(report->since_ns) | report->known) * CONNECTIONS_DURATION_KNOWN;
	event->outcome = report->outcome;
	event->error = report->error;
	event->retransmits = report->retransmits;
	submit_socket_event_by_opener(&event->base, call, report->asked);
}

/*
 * When a client's attempt began; 0: not seen. A socket with TCP_FASTOPEN_CONNECT sends its SYN with its first write, not in
 * connect(): once it is answered, the kernel has measured how long that took, unless it was sent again
 * (tcp_clean_rtx_queue()). Without branches, as above.
 */
INLINE __u64 connections_attempt_since(struct hook_call *call, struct connections_sock *own)
{
	__u64 took = (__u64)(call->tp->srtt_us >> 3) * 1000;
	__u64 waits = BPF_CORE_READ_BITFIELD(call->tp, fastopen_connect);
	__u64 unknown = (call->new_state ^ TCP_ESTABLISHED) | call->tp->total_retrans | (filter_differs(took) ^ 1);

	return own->since_ns * (waits ^ 1) + (call->time_ns - took) * waits * (filter_differs(unknown) ^ 1);
}

/* outcome: where there is no error. */
INLINE struct connections_report connections_report_connect(struct hook_call *call, __u8 error, __u8 outcome)
{
	struct connections_report report = {
		.asked = connections_asked(call),
		.retransmits = call->tp->total_retrans,
		.event_type = CONNECTIONS_CONNECT,
		.error = error,
		.outcome = error ? connections_outcome_of(call, error) : outcome,
	};

	call->role = role_of_connect(call->tp);
	if (call->entry) {
		struct connections_sock *own = entry_part(call->entry, connections);

		/* repaired: there was none */
		report.since_ns = connections_attempt_since(call, own) * (call->role == ROLE_CLIENT);
		own->since_ns = 0;
		own->awaits = 0;
		if (call->entry->role != call->role) { /* it was on its way before sockeye was there */
			call->entry->role = call->role;
			entry_changed(call->entry);
		}
	}
	return report;
}

INLINE struct connections_report connections_report_accept(struct hook_call *call)
{
	struct connections_report report = { .event_type = CONNECTIONS_ACCEPT };

	if (call->entry) {
		struct connections_sock *own = entry_part(call->entry, connections);

		/* Read once: a child can be accepted before its handshake is over, and that may write it now. */
		report.since_ns = *(volatile __u64 *)&own->since_ns;
		report.known = (__u8)(filter_differs(own->awaits ^ CONNECTIONS_AWAITS_PROCESS) ^ 1);
		own->awaits = 0;
	}
	return report;
}

/* A process uses the socket, or ends it: a child that nobody had before was accepted, though accept() was not seen. */
INLINE int connections_is_taken(struct hook_call *call)
{
	__u8 source;

	if (!call->entry || entry_part(call->entry, connections)->awaits != CONNECTIONS_AWAITS_PROCESS)
		return 0;
	source = shown_owner(&call->entry->whose)->source;
	return source != OWNER_INHERITED && source != OWNER_UNKNOWN;
}

INLINE void connections_emit_accept(struct hook_call *call)
{
	struct connections_report report;

	stamp_call(call);
	report = connections_report_accept(call);
	connections_emit(call, &report);
}

INLINE void connections_on_use(struct hook_call *call)
{
	if (connections_is_taken(call))
		connections_emit_accept(call);
}

#endif
