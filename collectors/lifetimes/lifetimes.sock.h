/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `lifetimes` remembers of a socket: what can no longer be told at its end. */
#ifndef SOCKEYE_LIFETIMES_SOCK_H
#define SOCKEYE_LIFETIMES_SOCK_H

#include "event/wire.h"

/* lifetimes_sock.flags */
#define SEEN_HANDSHAKE 1 /* handshake_ns is known */
#define SEEN_OWN_FIN 2   /* data_segs_in and rcv_nxt are known */
#define SEEN_ESTABLISHED 4
#define SEEN_RECEIVE_SHUT 8 /* when they were noted, or since without data taken, RCV_SHUTDOWN was set */
#define SEEN_START 16       /* what is counted of the connections before this one is known */
#define SEEN_CHRONO 32      /* the last of them has left a clock running */
#define SEEN_WAITING 64     /* some of data_segs_in may not have been taken then, and end the connection in FIN_WAIT1 */

struct lifetimes_sock {
	__u64 start_ns;         /* connect(), or the birth of a child; 0: before sockeye could see it */
	__u64 handshake_ns;     /* lifetimes_event.handshake_ns */
	__u64 closing_since_ns; /* when the first FIN was sent or came; 0: not yet, or before sockeye could see it */
	__u32 data_segs_in;     /* how many segments with data had come when the own FIN was sent */
	__u32 rcv_nxt;          /* tcp_sock.rcv_nxt then */
	__u32 segs_out;         /* how many it had sent by then, */
	__u32 total_retrans;    /* and how many of them were sent again */
	__u32 duplicate;        /* end of the last segment that had come twice by then (tcp_sock.duplicate_sack) */
	__u32 since_jiffies;    /* samples of round-trip times are this connection's from here on */
	SOCKEYE_COUNTER __u32 chrono_before[3]; /* tcp_sock.chrono_stat at the beginning, with what ran */
	__u8 syn_retransmits;
	__u8 handshake_unknown; /* HANDSHAKE_* */
	__u8 local_close;       /* LOCAL_CLOSE_* */
	__u8 exit_signal;
	__u8 flags; /* SEEN_* */
	__u8 _pad[7];
};
SOCKEYE_ASSERT_SIZE(lifetimes_sock, 72);

#endif
