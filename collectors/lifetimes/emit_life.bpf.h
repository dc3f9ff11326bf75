/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The event of a connection's life, made while its socket goes to CLOSE: all counters are still there. */
#ifndef SOCKEYE_LIFETIMES_EMIT_LIFE_BPF_H
#define SOCKEYE_LIFETIMES_EMIT_LIFE_BPF_H

#include "bpf/emit.h"
#include "bpf/outcome.h"
#include "collectors/lifetimes/ending.bpf.h"
#include "collectors/lifetimes/payload.bpf.h"
#include "collectors/lifetimes/remember.bpf.h"

#define SOCK_LINGER 4 /* a bit of sk_flags */
#define JUST_NOW 4    /* jiffies: a timer interrupt that came late makes up for several at once */

/* enum tcp_chrono of <linux/tcp.h> */
#define TCP_CHRONO_BUSY 1
#define TCP_CHRONO_RWND_LIMITED 2
#define TCP_CHRONO_SNDBUF_LIMITED 3

/* What was spent in each of enum tcp_chrono, in jiffies. */
struct life_clocks {
	SOCKEYE_COUNTER __u32 chrono_before[3]; /* by earlier connections of the socket */
	__u32 running;                          /* CHRONO_*; 0: none */
	__u32 elapsed;                          /* since that was started */
	__u32 odd;
};

/* `bit` where x is not 0. Without branches: the verifier would follow two ways from each of a dozen. */
INLINE __u32 fact(__u64 x, __u32 bit)
{
	return (__u32)filter_differs(x) * bit;
}

INLINE __u32 no_fact(__u64 x, __u32 bit)
{
	return (__u32)(filter_differs(x) ^ 1) * bit;
}

/*
 * Whether all data that have come since the own FIN was sent had come before: the peer sent them again. The kernel answers each
 * such segment at once by an acknowledgement (tcp_send_dupack(), tcp_data_queue()), and nothing else is sent after the FIN.
 */
INLINE __u32 came_again(struct hook_call *call, struct lifetimes_sock *own)
{
	__u32 odd = 0, has_duplicate = (__u32)filter_differs(call->tp->duplicate_sack[0].end_seq ^ own->duplicate);
	__u64 data = wrapped_between(own->data_segs_in, call->tp->data_segs_in, &odd);
	__u64 sent = wrapped_between(own->segs_out, call->tp->segs_out, &odd);
	__u64 retransmitted = wrapped_between(own->total_retrans, call->tp->total_retrans, &odd);

	return has_duplicate & (filter_sign(sent - retransmitted - data - 1) ^ 1);
}

/*
 * Whether data have come since the own FIN was sent, and the packet that came just now has brought some that were not
 * taken: tcp_ack() has noted the time, and the number that the packet begins with, which is not behind what was taken. A
 * RST is not given to tcp_ack(). Where nothing was to be received any more when the count began, that it has grown is enough:
 * on a busy machine "just now" may be over before the transition. Data that waited when the FIN was sent were counted by
 * then; they are handled before anything can acknowledge the FIN, so what gets out of FIN_WAIT1 had none.
 */
INLINE __u32 late_data(struct hook_call *call, struct lifetimes_sock *own)
{
	struct tcp_sock *tp = call->tp;
	__u32 seen_fin = 0 - ((__u32)own->flags / SEEN_OWN_FIN & 1);
	__u32 in_fin_wait1 = (__u32)filter_differs(call->old_state ^ TCP_FIN_WAIT1) ^ 1;
	__u32 waited = (__u32)own->flags / SEEN_WAITING & in_fin_wait1;
	__u32 is_new = came_again(call, own) - 1; /* all bits, or none */
	__u32 more = ((tp->data_segs_in ^ own->data_segs_in) & seen_fin & is_new) | waited;
	__u32 was_shut = (__u32)own->flags / SEEN_RECEIVE_SHUT & 1, age = (__u32)bpf_jiffies64() - tp->rcv_tstamp;
	__u32 is_old = (__u32)filter_sign((__u64)(JUST_NOW - 1) - age) & (was_shut ^ 1);
	__u32 is_behind = (tp->snd_wl1 - tp->rcv_nxt) >> 31;

	return fact(more, ENDING_LATE_DATA) * ((is_old | is_behind) ^ 1);
}

INLINE __u32 ending_facts(struct hook_call *call, struct lifetimes_sock *own)
{
	struct sock *sk = call->sk;
	unsigned long socket_flags = sk->__sk_common.skc_flags;
	struct socket *socket = call->tp->inet_conn.icsk_inet.sk.sk_socket;
	__u32 facts = 0, held = 0;

	if (socket)
		held = socket->state; /* SS_FREE is 0 */

	facts |= fact(socket_flags & (1 << SOCK_DONE), ENDING_FIN_RECEIVED);
	facts |= fact(socket_flags & (1 << SOCK_DEAD), ENDING_ORPHAN);
	facts |= fact(socket_flags & (1 << SOCK_LINGER), ENDING_LINGERS);
	facts |= fact(held, ENDING_HELD);
	facts |= fact(sk->sk_shutdown & RCV_SHUTDOWN, ENDING_RECEIVES_NO_MORE);
	facts |= fact(locked_by_current(sk), ENDING_LOCKED);
	facts |= fact((__u32)call->tp->linger2 >> 31, ENDING_NO_FIN_WAIT2);
	facts |= fact(has_given_up(call->tp), ENDING_GAVE_UP);
	facts |= fact(call->tp->write_seq ^ call->tp->snd_una, ENDING_UNACKED);
	facts |= fact(call->tp->snd_nxt ^ call->tp->snd_una, ENDING_IN_FLIGHT);
	facts |= fact(BPF_CORE_READ_BITFIELD(call->tp, syn_data_acked), ENDING_FAST_OPEN);
	facts |= fact(is_in_connect(call), ENDING_IN_CONNECT);
	facts |= fact(is_in_repair(call->tp), ENDING_REPAIR);
	if (own) {
		facts |= late_data(call, own);
		facts |= fact(own->flags & SEEN_RECEIVE_SHUT, ENDING_WAS_SHUT);
		facts |= no_fact(call->entry->role ^ ROLE_CLIENT, ENDING_CLIENT);
	}
	return facts;
}

INLINE struct life_ending read_ending(struct hook_call *call, struct lifetimes_sock *own)
{
	struct sock *sk = call->sk;
	struct life_ending ending = {
		.error = (__u32)sk->sk_err,
		.soft_error = (__u32)sk->sk_err_soft,
		.facts = ending_facts(call, own),
		.old_state = call->old_state,
	};

	return ending;
}

/* A subprogram: what it has on the stack is its own. */
static __attribute__((noinline, unused)) void fill_payload(struct lifetimes_event *event, struct hook_call *call,
							   __u32 facts)
{
	struct life_payload payload = {};
	struct life_sequence sequence = {
		.bytes_received = call->tp->bytes_received,
		.rcv_nxt = call->tp->rcv_nxt,
		.copied_seq = call->tp->copied_seq,
		.segs_out = call->tp->segs_out,
		.role = call->entry ? call->entry->role : ROLE_UNKNOWN,
		.fin_received = facts / ENDING_FIN_RECEIVED & 1,
	};

	read_sent_counters(&sequence.sent, call->tp, event->last_state);
	read_life_payload(&payload, &sequence);
	count_anomalies(payload.odd);
	event->bytes_received = payload.received;
	event->bytes_unread = payload.unread;
	if (!payload.sent_known)
		return;
	event->bytes_written = payload.written;
	event->bytes_acked = payload.acked;
	event->flags |= LIFE_BYTES_KNOWN;
}

/* As tcp_get_info_chrono_stats() adds the one that runs; without what was counted of earlier connections. */
INLINE __u64 limited_ns(struct tcp_sock *tp, struct life_clocks *clocks, __u32 which)
{
	__u64 stopped = counted_between(clocks->chrono_before[which - 1], tp->chrono_stat[which - 1], &clocks->odd);

	return (stopped + clocks->elapsed * no_fact(clocks->running ^ which, 1)) * settings.tick_ns;
}

INLINE void read_clocks(struct life_clocks *clocks, struct tcp_sock *tp, struct lifetimes_sock *own)
{
	clocks->running = BPF_CORE_READ_BITFIELD(tp, chrono_type);
	clocks->elapsed = (__u32)bpf_jiffies64() - tp->chrono_start; /* of the one that runs, if any */
	if (!own)
		return;
	clocks->chrono_before[0] = own->chrono_before[0];
	clocks->chrono_before[1] = own->chrono_before[1];
	clocks->chrono_before[2] = own->chrono_before[2];
}

/*
 * tcp_disconnect() leaves running what runs. Until the next connection writes something, that is none of its time; then
 * nobody knows from when on it is.
 */

INLINE void fill_limits(struct lifetimes_event *event, struct tcp_sock *tp, struct lifetimes_sock *own)
{
	struct life_clocks clocks = {};

	if (own && (own->flags & SEEN_CHRONO)) {
		event->not_known = (__u8)fact(tp->bytes_sent, LIFE_LIMITS_NOT_KNOWN);
		return;
	}
	read_clocks(&clocks, tp, own);
	event->rwnd_limited_ns = limited_ns(tp, &clocks, TCP_CHRONO_RWND_LIMITED);
	event->sndbuf_limited_ns = limited_ns(tp, &clocks, TCP_CHRONO_SNDBUF_LIMITED);
	event->busy_ns = limited_ns(tp, &clocks, TCP_CHRONO_BUSY) + event->rwnd_limited_ns + event->sndbuf_limited_ns;
	count_anomalies(clocks.odd);
}

/* 0 or 1: of the connection, not of an earlier one of the socket. */
INLINE __u32 is_sample_since(const struct minmax_sample *sample, __u32 since)
{
	return (sample->t - since) >> 31 ^ 1;
}

/*
 * The least of the last minutes is the first of three samples, each of which is later and not less than the one before
 * (minmax_running_min()). tcp_disconnect() leaves them. A jiffy's number comes again after 2^32 of them.
 */
INLINE __u32 least_round_trip(struct tcp_sock *tp, struct lifetimes_sock *own, __u64 duration_ns)
{
	const struct minmax_sample *samples = tp->rtt_min.s;
	__u32 since = samples[0].t, first, second, third;

	if (own && (own->flags & SEEN_START) && duration_ns >> 31 < settings.tick_ns)
		since = own->since_jiffies;
	first = is_sample_since(&samples[0], since);
	second = is_sample_since(&samples[1], since) & ~first;
	third = is_sample_since(&samples[2], since) & ~(first | second);
	return samples[0].v * first | samples[1].v * second | samples[2].v * third |
	       NO_MIN_RTT * ((first | second | third) ^ 1);
}

/* As tcp_get_info() shifts them, which `ss` prints as rtt:srtt/rttvar. Without a sample there are only defaults. */
INLINE void fill_round_trips(struct lifetimes_event *event, struct tcp_sock *tp, struct lifetimes_sock *own)
{
	__u32 least = least_round_trip(tp, own, event->duration_ns);

	if (tp->srtt_us) {
		event->srtt_us = tp->srtt_us >> 3;
		event->rttvar_us = tp->mdev_us >> 2;
		event->flags |= LIFE_RTT_KNOWN;
	}
	if (least != NO_MIN_RTT)
		event->min_rtt_us = least;
}

/* Of a socket that nothing is remembered of, though no memory was refused, sockeye has seen no beginning. */
INLINE void fill_duration(struct lifetimes_event *event, struct hook_call *call, struct lifetimes_sock *own)
{
	__u64 since = own ? own->start_ns : 0;

	if (!since && (own || !call->lacks_entry)) {
		event->flags |= LIFE_SINCE_START;
		since = counters.attached_ns;
	}
	if (since) {
		event->duration_ns = call->time_ns - since;
		event->flags |= LIFE_DURATION_KNOWN;
	}
}

INLINE void fill_remembered(struct lifetimes_event *event, struct hook_call *call, struct lifetimes_sock *own)
{
	int is_attempt = event->last_state == TCP_SYN_SENT || event->last_state == TCP_SYN_RECV;
	__u32 again = call->tp->total_retrans;

	if (is_attempt || (own && (own->flags & SEEN_ESTABLISHED))) {
		event->syn_retransmits = is_attempt ? (again < 255 ? again : 255) : own->syn_retransmits;
		event->flags |= LIFE_SYN_KNOWN;
	} else if (event->flags & LIFE_SINCE_START) {
		event->handshake_unknown = HANDSHAKE_BEFORE_START;
	}
	if (!own)
		return;
	if (own->flags & SEEN_HANDSHAKE) {
		event->handshake_ns = own->handshake_ns;
		event->flags |= LIFE_HANDSHAKE_KNOWN;
	}
	if (own->handshake_unknown)
		event->handshake_unknown = own->handshake_unknown;
	if (own->closing_since_ns) {
		event->closing_ns = call->time_ns - own->closing_since_ns;
		event->flags |= LIFE_CLOSING_KNOWN;
	}
	event->local_close = own->local_close;
	event->exit_signal = own->exit_signal;
}

/* The current task means something where it is what ends the connection; else it is a packet's or a timer's. */
INLINE void fill_local_close(struct lifetimes_event *event, struct hook_call *call, const struct life_ending *ending)
{
	struct life_local_close close = read_local_close(call->sk);
	int acts = is_local_abort(event->end) && close.how;

	event->local_close = which_local_close(ending, event->local_close);
	if (acts && !event->local_close) {
		event->local_close = close.how;
		event->exit_signal = close.signal;
	}
	if (acts || event->end == LIFE_DESTROYED) {
		read_context(&event->base.context);
		return;
	}
	event->base.context.pid = event->base.owner.pid;
	event->base.context.tid = event->base.owner.tid;
	copy_comm(event->base.context.comm, event->base.owner.thread);
}

/*
 * What was found out goes through the event's memory: there the verifier forgets which of many ways led to it, and
 * follows one from here.
 */
#define forget_the_way() barrier()

INLINE void emit_life(struct hook_call *call, struct lifetimes_sock *own)
{
	struct life_ending ending = read_ending(call, own);
	struct lifetimes_event *event;

	forget_values(&ending, sizeof(ending));
	if (is_undone_child(&ending) || !passes_filters(call))
		return;
	event = reserve_event(lifetimes_event, LIFETIMES_KIND, call);
	if (!event)
		return;
	fill_socket_event(&event->base, call);
	event->last_state = call->old_state;
	event->error = (__u8)ending.error;
	event->soft_error = (__u8)ending.soft_error;
	event->flags = (__u8)fact(ending.facts & ENDING_FIN_RECEIVED, LIFE_FIN_RECEIVED);
	event->end = how_it_ended(&ending);
	forget_the_way();
	event->closed_by = who_closed(event->last_state, event->end);
	forget_the_way();
	fill_duration(event, call, own);
	fill_remembered(event, call, own);
	fill_local_close(event, call, &ending);
	fill_payload(event, call, ending.facts);
	fill_limits(event, call->tp, own);
	fill_round_trips(event, call->tp, own);
	event->segs_out = call->tp->segs_out;
	event->segs_in = call->tp->segs_in;
	event->retransmits = call->tp->total_retrans;
	submit_socket_event(&event->base, call);
}

#endif
