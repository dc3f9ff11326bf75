/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of one TCP socket that was a connection or tried to become one, told at its end: its change to CLOSE. */
#ifndef SOCKEYE_LIFETIMES_EVENT_H
#define SOCKEYE_LIFETIMES_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define LIFETIMES_KIND 20

/* lifetimes_event.end: what ended it. */
#define LIFE_CLOSED 1               /* our FIN was acknowledged, and the peer's seen or not waited for */
#define LIFE_RESET_SENT 2           /* a RST was sent: this end aborted it, or had closed when data came */
#define LIFE_RESET_RECEIVED 3       /* a RST came */
#define LIFE_REFUSED 4              /* a RST, or ICMP port unreachable, answered the SYN */
#define LIFE_UNREACHABLE 5          /* another ICMP error answered the SYN; errno says which */
#define LIFE_CANCELLED 6            /* the process closed it before the SYN was answered */
#define LIFE_FAILED 7               /* connect() itself failed: no SYN was sent */
#define LIFE_SYN_TIMED_OUT 8        /* nothing completed the handshake */
#define LIFE_TIMED_OUT 9            /* what was sent was not acknowledged */
#define LIFE_WINDOW_TIMED_OUT 10    /* data waited for the peer's window, and probes were not answered */
#define LIFE_KEEPALIVE_TIMED_OUT 11 /* nothing was under way, and keepalive probes were not answered */
#define LIFE_DESTROYED 12           /* tcp_abort(): ss -K, bpf_sock_destroy() */
#define LIFE_OUT_OF_RESOURCES \
	13                   /* an orphan that the kernel gave up: too many, or no memory (tcp_out_of_resources()) */
#define LIFE_CHECKPOINTED 14 /* closed in repair mode (TCP_REPAIR): no packet was sent, it may live on elsewhere */

/* lifetimes_event.closed_by: who was the first to end it, by FIN, by RST, or otherwise. */
#define CLOSED_BY_LOCAL 1
#define CLOSED_BY_REMOTE 2
#define CLOSED_BY_BOTH 3    /* FINs crossed (RFC 9293, 3.6, case 3) */
#define CLOSED_BY_NETWORK 4 /* an ICMP error */
#define CLOSED_BY_NOBODY 5  /* there was no answer, and the kernel gave up */

/* lifetimes_event.local_close: what the local process did. */
#define LOCAL_CLOSE_NONE 0 /* it is not known, or there was no such thing */
/* close(), shutdown() of both directions, or connect() to AF_UNSPEC; after the peer's FIN shutdown() and then close() */
#define LOCAL_CLOSE_CALL 1
#define LOCAL_CLOSE_HALF 2 /* shutdown(SHUT_WR); after the peer's FIN any shutdown() without close() until the end */
#define LOCAL_CLOSE_EXIT 3 /* it ended with the socket open */
#define LOCAL_CLOSE_KILL 4 /* it was ended by the signal exit_signal with the socket open */

/* lifetimes_event.handshake_unknown: why there is no handshake_ns of a connection that was established. */
#define HANDSHAKE_BEFORE_START 1 /* it was over before sockeye could see it */
#define HANDSHAKE_RETRANSMITTED \
	2 /* server: the SYN-ACK was retransmitted; client that connected by its first write: the SYN */
#define HANDSHAKE_WITH_DATA \
	3 /* server: the last packet brought data (TCP_DEFER_ACCEPT, a lost ACK): it may have waited */
#define HANDSHAKE_NO_SAMPLE 4 /* server: nobody knows when the SYN-ACK was sent (SYN cookies) */
#define HANDSHAKE_REPAIRED 5  /* there was none: the connection was made in repair mode (TCP_REPAIR) */

/* lifetimes_event.flags */
#define LIFE_DURATION_KNOWN 1
#define LIFE_SINCE_START 2 /* it is older than the run: duration_ns counts from the start of that */
#define LIFE_HANDSHAKE_KNOWN 4
#define LIFE_BYTES_KNOWN 8 /* bytes_written, bytes_acked */
#define LIFE_RTT_KNOWN 16  /* srtt_us, rttvar_us */
#define LIFE_SYN_KNOWN 32  /* syn_retransmits */
#define LIFE_CLOSING_KNOWN 64
#define LIFE_FIN_RECEIVED 128

/* lifetimes_event.not_known */
#define LIFE_LIMITS_NOT_KNOWN 1 /* busy_ns, rwnd_limited_ns, sndbuf_limited_ns */

struct lifetimes_event {
	struct socket_event base;
	__u64 duration_ns;  /* unless LIFE_DURATION_KNOWN 0 */
	__u64 handshake_ns; /* unless LIFE_HANDSHAKE_KNOWN 0 */
	__u64 closing_ns;   /* since the first FIN, of either side; unless LIFE_CLOSING_KNOWN 0 */
	__u64 busy_ns; /* TCP_CHRONO_BUSY and the two below, in steps of a jiffy: something to send or to be acknowledged */
	__u64 rwnd_limited_ns;   /* TCP_CHRONO_RWND_LIMITED: stalled by the peer's window */
	__u64 sndbuf_limited_ns; /* TCP_CHRONO_SNDBUF_LIMITED: stalled by the own send buffer */
	__u64 bytes_written;     /* payload that the process handed over; unless LIFE_BYTES_KNOWN 0 */
	__u64 bytes_acked;       /* of it, what the peer has acknowledged; unless LIFE_BYTES_KNOWN 0 */
	__u64 bytes_received;    /* payload received in order */
	__u32 bytes_unread;      /* of it, what the process has not read */
	__u32 segs_out;          /* sent, without the SYN-ACK and the RST that ends it (tcp_sock.segs_out) */
	__u32 segs_in;           /* received (tcp_sock.segs_in) */
	__u32 retransmits;       /* segments sent again, SYN and SYN-ACK included (tcp_sock.total_retrans) */
	__u32 srtt_us;           /* the last smoothed round-trip time; unless LIFE_RTT_KNOWN 0 */
	__u32 rttvar_us;         /* its mean deviation; unless LIFE_RTT_KNOWN 0 */
	__u32 min_rtt_us;        /* the least of the last five minutes of traffic (tcp_min_rtt()); 0: no sample */
	__u8 syn_retransmits;    /* of retransmits: SYN and SYN-ACK, 255 at most; unless LIFE_SYN_KNOWN 0 */
	__u8 end;                /* LIFE_* */
	__u8 closed_by;          /* CLOSED_BY_* */
	__u8 local_close;        /* LOCAL_CLOSE_* */
	__u8 exit_signal;        /* LOCAL_CLOSE_KILL: the signal's number; else 0 */
	__u8 last_state;         /* the TCP state that it went to CLOSE from */
	__u8 error;              /* sock.sk_err; 0: none */
	__u8 soft_error;         /* sock.sk_err_soft: what the network last said, which did not end it; 0: none */
	__u8 handshake_unknown;  /* HANDSHAKE_* */
	__u8 flags;              /* LIFE_*_KNOWN and the like */
	__u8 not_known;          /* LIFE_*_NOT_KNOWN */
	__u8 _pad[1];
};
SOCKEYE_ASSERT_SIZE(lifetimes_event, 288);

#pragma GCC diagnostic pop

#endif
