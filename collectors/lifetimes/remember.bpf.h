/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What has to be noted while a connection lives, as it can no longer be told at its end. */
#ifndef SOCKEYE_LIFETIMES_REMEMBER_BPF_H
#define SOCKEYE_LIFETIMES_REMEMBER_BPF_H

#include "bpf/hook_call.h"
#include "bpf/packet.h"
#include "collectors/lifetimes/lifetimes.event.h"

#define EXIT_SIGNAL 0x7f      /* of an exit code: the signal that ended the process, 0: it ended by itself */
#define RCV_SHUTDOWN 1        /* <net/sock.h> */
#define SEND_SHUTDOWN 2       /* <net/sock.h> alone: no more to send, but to receive */
#define MOST_WAITING 8        /* segments of a backlog that are looked at */
#define NO_MIN_RTT 0xffffffff /* minmax_reset() in tcp_init_sock() */

struct life_local_close {
	__u8 how;    /* LOCAL_CLOSE_* */
	__u8 signal; /* LOCAL_CLOSE_KILL: which */
};

/* 5.10 cannot read the current task but by probes: 0 where it may not, which is a process like others. */
INLINE __u32 current_flags(__u32 *exit_code)
{
	struct task_struct *task = current_task();

	if (task) {
		*exit_code = (__u32)task->exit_code;
		return task->flags;
	}
	if (!settings.may_probe_read)
		return 0;
	task = (void *)bpf_get_current_task();
	*exit_code = (__u32)BPF_CORE_READ(task, exit_code);
	return BPF_CORE_READ(task, flags);
}

/*
 * The socket is being closed by its user. Files that a process leaves open are closed by itself while it exits, when
 * do_exit() has set PF_EXITING and its exit code. A kernel thread closes for others (MPTCP, the last reference dropped
 * in an interrupt): of those nothing is known.
 */
INLINE struct life_local_close read_local_close(struct sock *sk)
{
	struct life_local_close close = {};
	__u32 exit_code = 0, flags;

	if (!locked_by_current(sk))
		return close;
	flags = current_flags(&exit_code);
	if (flags & PF_KTHREAD || current_only_reads())
		return close;
	close.how = sk->sk_shutdown == SEND_SHUTDOWN ? LOCAL_CLOSE_HALF : LOCAL_CLOSE_CALL;
	if (flags & PF_EXITING) {
		close.signal = exit_code & EXIT_SIGNAL;
		close.how = close.signal ? LOCAL_CLOSE_KILL : LOCAL_CLOSE_EXIT;
	}
	return close;
}

INLINE void handshake_took(struct lifetimes_sock *own, __u64 duration_ns)
{
	own->handshake_ns = duration_ns;
	own->flags |= SEEN_HANDSHAKE;
}

/*
 * From the first SYN to the SYN-ACK. A socket with TCP_FASTOPEN_CONNECT has been in SYN_SENT since connect(), but sends
 * the SYN with its first write: there the round trip of the SYN is what the kernel measured (tcp_clean_rtx_queue()),
 * unless it was retransmitted. In repair mode there are no packets (tcp_connect()).
 */
INLINE void client_handshake(struct lifetimes_sock *own, struct hook_call *call)
{
	if (is_in_repair(call->tp)) {
		own->handshake_unknown = HANDSHAKE_REPAIRED;
	} else if (!BPF_CORE_READ_BITFIELD(call->tp, fastopen_connect)) {
		if (own->start_ns)
			handshake_took(own, call->time_ns - own->start_ns);
		else
			own->handshake_unknown = HANDSHAKE_BEFORE_START;
	} else if (call->tp->total_retrans) {
		own->handshake_unknown = HANDSHAKE_RETRANSMITTED;
	} else if (call->tp->srtt_us) {
		handshake_took(own, (__u64)(call->tp->srtt_us >> 3) * 1000);
	} else {
		own->handshake_unknown = HANDSHAKE_NO_SAMPLE;
	}
}

/*
 * From the SYN-ACK to the last packet of the handshake. With fast open (data in the SYN) the child is born with the
 * SYN. Else it is born with that last packet, and the only trace of the SYN-ACK is the first sample of srtt
 * (tcp_synack_rtt_meas()), which is none where it was retransmitted, and contains the wait for data where these came
 * with the last packet (TCP_DEFER_ACCEPT; data_segs_in has that packet by now). With SYN cookies the sample comes of
 * the timestamp option (tcp_ack_update_rtt()), in which the cookie overwrote bits: it can be told by its whole
 * milliseconds. One sample in a thousand that is right goes with them.
 */
INLINE void server_handshake(struct lifetimes_sock *own, struct hook_call *call)
{
	__u32 sample_us = call->tp->srtt_us >> 3;

	if (BPF_CORE_READ_BITFIELD(call->tp, syn_data_acked) && own->start_ns)
		handshake_took(own, call->time_ns - own->start_ns);
	else if (call->tp->total_retrans)
		own->handshake_unknown = HANDSHAKE_RETRANSMITTED;
	else if (call->tp->data_segs_in)
		own->handshake_unknown = HANDSHAKE_WITH_DATA;
	else if (!sample_us || sample_us % 1000 == 0)
		own->handshake_unknown = HANDSHAKE_NO_SAMPLE;
	else
		handshake_took(own, (__u64)sample_us * 1000);
}

/* total_retrans: until now the client's SYNs, or the SYN-ACKs that tcp_create_openreq_child() takes over. */
INLINE void note_established(struct lifetimes_sock *own, struct hook_call *call)
{
	__u32 again = call->tp->total_retrans;

	own->flags |= SEEN_ESTABLISHED;
	own->syn_retransmits = again < 255 ? again : 255;
	if (call->old_state == TCP_SYN_SENT || call->entry->role == ROLE_CLIENT)
		client_handshake(own, call);
	else
		server_handshake(own, call);
}

/* How long each of enum tcp_chrono has run, but for what runs, and since when that does. */
INLINE void note_clocks(struct lifetimes_sock *own, struct tcp_sock *tp)
{
	__u32 running = BPF_CORE_READ_BITFIELD(tp, chrono_type);
	__u32 elapsed = (__u32)bpf_jiffies64() - tp->chrono_start;

	own->chrono_before[0] = tp->chrono_stat[0] + elapsed * (__u32)(filter_differs(running ^ 1) ^ 1);
	own->chrono_before[1] = tp->chrono_stat[1] + elapsed * (__u32)(filter_differs(running ^ 2) ^ 1);
	own->chrono_before[2] = tp->chrono_stat[2] + elapsed * (__u32)(filter_differs(running ^ 3) ^ 1);
}

/*
 * What the socket has of connections before this one, which tcp_disconnect() leaves: a client's, or, of a child, its
 * listener's. A sample of this very jiffy is theirs.
 */
INLINE void note_beginning(struct lifetimes_sock *own, struct hook_call *call)
{
	struct tcp_sock *tp = call->tp;
	const struct minmax_sample *last = &tp->rtt_min.s[2];
	__u32 now = (__u32)bpf_jiffies64();

	__builtin_memset(own, 0, sizeof(*own));
	own->start_ns = call->time_ns;
	own->since_jiffies = now + (__u32)((filter_differs(last->t ^ now) ^ 1) & filter_differs(last->v ^ NO_MIN_RTT));
	note_clocks(own, tp);
	own->flags = SEEN_START | (__u8)filter_differs(BPF_CORE_READ_BITFIELD(tp, chrono_type)) * SEEN_CHRONO;
}

/* 1: data, 0: an acknowledgement or a FIN alone. */
INLINE __u32 has_data(struct tcp_skb_cb *segment)
{
	__u32 bytes = segment->end_seq - segment->seq - (segment->tcp_flags & TCPHDR_FIN);

	return (__u32)filter_differs(bytes);
}

/*
 * Whether segments with data have come that are not taken yet: they wait until the process that holds the lock lets go of it
 * (tcp_add_backlog()), and tcp_v4_rcv() has counted them. A packet that comes just now may be counted and not wait yet: it
 * is taken for one with data. Where the backlog is long, its first ones are looked at.
 */
INLINE __u32 has_data_waiting(struct sock *sk)
{
	__u32 found = is_packet_coming(sk);
	struct sk_buff *waiting;

	barrier(); /* what it leaves behind is in the backlog */
	waiting = sk->sk_backlog.head;
	for (int i = 0; i < MOST_WAITING; i++) {
		if (!waiting || !is_address(waiting))
			break;
		found |= has_data(control_block(waiting));
		waiting = waiting->next;
	}
	return found;
}

/*
 * What has come by the time the own FIN is sent. Where nothing was written until now, the clock that an earlier connection
 * left is this one's from here on.
 */
INLINE void note_own_fin(struct lifetimes_sock *own, struct hook_call *call)
{
	__u64 written = call->tp->bytes_sent | (call->tp->write_seq ^ call->tp->snd_una);

	if (own->flags / SEEN_CHRONO & ~filter_differs(written) & 1) {
		note_clocks(own, call->tp);
		own->flags &= ~SEEN_CHRONO;
	}
	own->data_segs_in = call->tp->data_segs_in;
	own->rcv_nxt = call->tp->rcv_nxt;
	own->segs_out = call->tp->segs_out;
	own->total_retrans = call->tp->total_retrans;
	own->duplicate = call->tp->duplicate_sack[0].end_seq;
	barrier(); /* whatever is counted waits by now, or is just coming */
	own->flags |= SEEN_OWN_FIN | (call->sk->sk_shutdown & RCV_SHUTDOWN) * SEEN_RECEIVE_SHUT |
		      has_data_waiting(call->sk) * SEEN_WAITING;
}

/*
 * shutdown(SHUT_WR) leaves the receiving side open: data are taken until that is shut down as well, which has no hook of
 * its own. What has come by now counts anew where some of it was taken. Without a branch, which the verifier would follow.
 */
INLINE void note_receive_shut(struct lifetimes_sock *own, struct hook_call *call)
{
	__u32 is_new =
		own->flags / SEEN_OWN_FIN & ~(own->flags / SEEN_RECEIVE_SHUT) & call->sk->sk_shutdown & RCV_SHUTDOWN;
	__u32 is_taken = is_new & (__u32)filter_differs(own->rcv_nxt ^ call->tp->rcv_nxt);

	own->data_segs_in = own->data_segs_in * (is_taken ^ 1) + call->tp->data_segs_in * is_taken;
	own->segs_out = own->segs_out * (is_taken ^ 1) + call->tp->segs_out * is_taken;
	own->total_retrans = own->total_retrans * (is_taken ^ 1) + call->tp->total_retrans * is_taken;
	own->duplicate = own->duplicate * (is_taken ^ 1) + call->tp->duplicate_sack[0].end_seq * is_taken;
	own->flags |= is_new * SEEN_RECEIVE_SHUT;
}

/* Of every socket: whether its end is wanted is not known before. */
INLINE void remember_life(struct lifetimes_sock *own, struct hook_call *call)
{
	struct life_local_close close;

	if (call->old_state == TCP_CLOSE || call->old_state == TCP_LISTEN)
		note_beginning(own, call);
	if (call->new_state == TCP_ESTABLISHED && call->old_state != TCP_CLOSE)
		note_established(own, call);
	if (call->new_state == TCP_FIN_WAIT1 || call->new_state == TCP_CLOSE_WAIT)
		own->closing_since_ns = call->time_ns;
	if (call->new_state == TCP_FIN_WAIT2)
		note_receive_shut(own, call);
	if (call->new_state != TCP_FIN_WAIT1 && call->new_state != TCP_LAST_ACK)
		return;
	close = read_local_close(call->sk);
	own->local_close = close.how;
	own->exit_signal = close.signal;
	note_own_fin(own, call);
}

#endif
