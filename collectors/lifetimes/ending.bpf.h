/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a connection ended and who ended it, from what its socket says while it goes to CLOSE. Pure functions of plain
 * numbers: a unit test compiles them on the host. Paths into CLOSE are those of net/ipv4/tcp*.c from 5.10 to 6.18.
 */
#ifndef SOCKEYE_LIFETIMES_ENDING_BPF_H
#define SOCKEYE_LIFETIMES_ENDING_BPF_H

#include "bpf/sock_error.h"
#include "collectors/lifetimes/lifetimes.event.h"

/* ending.facts */
#define ENDING_FIN_RECEIVED 1 /* SOCK_DONE: tcp_fin() */
#define ENDING_ORPHAN 2       /* SOCK_DEAD: the process has let go of it */
#define ENDING_LOCKED 4       /* a process holds the lock, maybe the one that closes */
#define ENDING_NO_FIN_WAIT2 8 /* TCP_LINGER2 below 0: an orphan is not to wait for the peer's FIN */
#define ENDING_GAVE_UP 16     /* retransmissions or probes are without an answer */
#define ENDING_UNACKED 32     /* write_seq is ahead of snd_una: something was to be acknowledged, a FIN included */
#define ENDING_IN_FLIGHT 64   /* and so is snd_nxt: it was sent */
#define ENDING_LATE_DATA 128  /* since the own FIN data came, and the last packet brought some that was not taken */
#define ENDING_IN_CONNECT 256 /* connect() has not got as far as SS_CONNECTING */
#define ENDING_FAST_OPEN 512  /* server: the SYN brought data */
#define ENDING_CLIENT 1024
#define ENDING_RECEIVES_NO_MORE 2048 /* RCV_SHUTDOWN: after close(), shutdown(SHUT_RD), or the peer's FIN */
#define ENDING_HELD 8192             /* a process has a descriptor of it */
#define ENDING_LINGERS 4096   /* SO_LINGER: close() itself may wait for the end, before the socket is an orphan */
#define ENDING_WAS_SHUT 16384 /* RCV_SHUTDOWN was set by the time that LATE_DATA counts from */
#define ENDING_REPAIR 32768   /* TCP_REPAIR: what the socket does makes no packets */

struct life_ending {
	__u32 error;      /* sk_err */
	__u32 soft_error; /* sk_err_soft */
	__u32 facts;      /* ENDING_* */
	__u32 old_state;  /* TCP state */
};

/*
 * A child that two CPUs made at once, each from the same last packet of a handshake: one of them is closed where it
 * was made (tcp_v4_syn_recv_sock()). It never was a connection.
 */
INLINE int is_undone_child(const struct life_ending *e)
{
	return e->old_state == TCP_SYN_RECV && !e->error && !(e->facts & (ENDING_CLIENT | ENDING_FAST_OPEN));
}

/*
 * Which timer: keepalive has its turn only where nothing waits (tcp_keepalive_timer()), probes of the window where
 * nothing is in flight (tcp_ack_probe()); else it is the retransmission timer.
 */
INLINE __u8 which_time_out(const struct life_ending *e)
{
	if (e->old_state == TCP_SYN_RECV)
		return LIFE_SYN_TIMED_OUT;
	if (!(e->facts & ENDING_UNACKED))
		return LIFE_KEEPALIVE_TIMED_OUT;
	return e->facts & ENDING_IN_FLIGHT ? LIFE_TIMED_OUT : LIFE_WINDOW_TIMED_OUT;
}

/* tcp_v4_err() ends a socket in SYN_SENT with any ICMP error there is. */
INLINE __u8 end_of_attempt(const struct life_ending *e)
{
	if (e->error == ETIMEDOUT)
		return LIFE_SYN_TIMED_OUT;
	if (e->error == ECONNABORTED)
		return LIFE_DESTROYED;
	if (e->error == ECONNREFUSED)
		return LIFE_REFUSED;
	if (e->error)
		return LIFE_UNREACHABLE;
	return e->facts & ENDING_IN_CONNECT ? LIFE_FAILED : LIFE_CANCELLED;
}

/*
 * tcp_reset() says ECONNRESET, or EPIPE where the peer had sent its FIN. It is called for data that come after close()
 * or shutdown() of both directions as well, which are answered with a RST (tcp_rcv_state_process()).
 */
INLINE __u8 end_by_reset(const struct life_ending *e)
{
	int closing = e->old_state == TCP_FIN_WAIT1 || e->old_state == TCP_FIN_WAIT2;

	if (closing && (e->facts & ENDING_RECEIVES_NO_MORE) && (e->facts & ENDING_LATE_DATA))
		return LIFE_RESET_SENT;
	return LIFE_RESET_RECEIVED;
}

/*
 * No error is left. A process that holds the socket may take it away (SO_ERROR asks for no lock) while tcp_reset() frees
 * what was not sent: what ends without its lock, the peer has reset. Else this end has: with the lock, or a child that
 * nobody ever accepted; in repair mode without a packet. Without a branch: the verifier would follow two ways from each end.
 */
INLINE __u8 end_without_error(const struct life_ending *e)
{
	__u32 is_locked = e->facts / ENDING_LOCKED & 1;
	__u32 is_held = e->facts / ENDING_HELD & (is_locked ^ 1);
	__u32 is_in_repair = e->facts / ENDING_REPAIR & is_locked;

	return LIFE_RESET_SENT + is_held * (LIFE_RESET_RECEIVED - LIFE_RESET_SENT) +
	       is_in_repair * (LIFE_CHECKPOINTED - LIFE_RESET_SENT);
}

/*
 * Our FIN is acknowledged. Without the peer's, the socket of a process that has closed becomes a minisocket, unless
 * TCP_LINGER2 forbids it or data came with the acknowledgement: then a RST is sent. Else a process has aborted it.
 * Where only the sending side was shut down, data are taken until close(), which makes the minisocket itself: then it is
 * no packet that ends the socket.
 */
INLINE __u8 end_in_fin_wait2(const struct life_ending *e)
{
	__u32 is_packet = e->facts / ENDING_WAS_SHUT | ~(e->facts / ENDING_LOCKED);
	__u32 is_late = e->facts / ENDING_LATE_DATA & is_packet;
	__u32 waits = e->facts / ENDING_ORPHAN & ~(e->facts / ENDING_NO_FIN_WAIT2 | is_late);

	if ((e->facts / ENDING_FIN_RECEIVED | waits) & 1)
		return LIFE_CLOSED;
	return end_without_error(e);
}

/*
 * With a FIN that is not acknowledged, and no error. A process aborts its socket before it lets go of it
 * (tcp_disconnect(), and data not read in __tcp_close()); what the kernel has no room for it gives up after that, in the
 * same close() (tcp_check_oom()) or from a timer (tcp_out_of_resources()).
 */
INLINE __u8 end_of_fin(const struct life_ending *e)
{
	return e->facts & ENDING_ORPHAN ? LIFE_OUT_OF_RESOURCES : end_without_error(e);
}

/* LIFE_* */
INLINE __u8 how_it_ended(const struct life_ending *e)
{
	if (e->old_state == TCP_SYN_SENT)
		return end_of_attempt(e);
	if (error_is_timeout(e->error, e->soft_error, e->facts & ENDING_GAVE_UP))
		return which_time_out(e);
	if (e->error == ECONNABORTED)
		return LIFE_DESTROYED;
	if (e->error == ECONNRESET || (e->error == EPIPE && e->old_state == TCP_CLOSE_WAIT))
		return end_by_reset(e);
	if (e->old_state == TCP_FIN_WAIT2)
		return end_in_fin_wait2(e);
	if (e->old_state == TCP_LAST_ACK || e->old_state == TCP_CLOSING || e->old_state == TCP_FIN_WAIT1) {
		if (!(e->facts & ENDING_UNACKED) && e->old_state != TCP_FIN_WAIT1)
			return LIFE_CLOSED;
		return end_of_fin(e);
	}
	return end_without_error(e);
}

/* CLOSED_BY_*. The order of the FINs is in the last state. */
INLINE __u8 who_closed(__u32 old_state, __u8 end)
{
	if (old_state == TCP_FIN_WAIT1 || old_state == TCP_FIN_WAIT2)
		return CLOSED_BY_LOCAL;
	if (old_state == TCP_CLOSE_WAIT || old_state == TCP_LAST_ACK)
		return CLOSED_BY_REMOTE;
	if (old_state == TCP_CLOSING)
		return CLOSED_BY_BOTH;
	switch (end) {
	case LIFE_RESET_RECEIVED:
	case LIFE_REFUSED:
		return CLOSED_BY_REMOTE;
	case LIFE_UNREACHABLE:
		return CLOSED_BY_NETWORK;
	case LIFE_SYN_TIMED_OUT:
	case LIFE_TIMED_OUT:
	case LIFE_WINDOW_TIMED_OUT:
	case LIFE_KEEPALIVE_TIMED_OUT:
		return CLOSED_BY_NOBODY;
	default:
		return CLOSED_BY_LOCAL;
	}
}

/*
 * What is known of a close() that was seen. After the peer's FIN close() and shutdown(SHUT_WR) look the same when they
 * are called; the socket of who only shut down is none that its process has let go of.
 */
INLINE __u8 which_local_close(const struct life_ending *e, __u8 seen)
{
	if (seen == LOCAL_CLOSE_CALL && e->old_state == TCP_LAST_ACK && !(e->facts & (ENDING_ORPHAN | ENDING_LINGERS)))
		return LOCAL_CLOSE_HALF;
	return seen;
}

/* Whether the end is something that a process did just now. */
INLINE int is_local_abort(__u8 end)
{
	return end == LIFE_RESET_SENT || end == LIFE_CANCELLED || end == LIFE_FAILED || end == LIFE_CHECKPOINTED;
}

#endif
