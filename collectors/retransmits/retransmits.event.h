/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What TCP sends again (tracepoints tcp:tcp_retransmit_skb and tcp:tcp_retransmit_synack). */
#ifndef SOCKEYE_RETRANSMITS_EVENT_H
#define SOCKEYE_RETRANSMITS_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define RETRANSMITS_KIND 21

/* retransmits_event.type: why it was sent again. */
#define RETRANSMIT_TIMEOUT 1         /* no acknowledgement in time: the timer, and what was taken for lost by it */
#define RETRANSMIT_FAST 2            /* acknowledgements of what came after it say that it was lost */
#define RETRANSMIT_TAIL_LOSS_PROBE 3 /* the last of a flight, before the timer (RFC 8985, section 7) */
#define RETRANSMIT_SYN 4
#define RETRANSMIT_SYNACK 5
#define RETRANSMIT_NON_CONGESTION 6 /* too big for the path, or data of a SYN that was not taken */

/* retransmits_event.error: 0 or the errno of the transmission, and, which is none: */
#define RETRANSMIT_DROPPED 255 /* dropped by the queue of the device (NET_XMIT_DROP) */

/* retransmits_event.flags */
#define RETRANSMIT_FULL 1   /* of a full socket: else of a half-open request, which has no congestion control */
#define RETRANSMIT_PLACED 2 /* seq and end_seq are known */

struct retransmits_event {
	struct socket_event base;
	__u64 seq;     /* place in what this end sends: 0 is its SYN, 1 the first byte; 0 unless RETRANSMIT_PLACED */
	__u64 end_seq; /* behind its last byte */
	__u32 seq_raw; /* sequence number of its first byte, as in the packet */
	__u32 end_seq_raw;    /* behind its last byte; SYN and FIN count 1 */
	__u32 bytes;          /* payload */
	__u32 total_segments; /* that the socket has sent again so far, these included (tcp_sock.total_retrans) */
	__u32 cwnd;           /* congestion window, segments; 0 unless RETRANSMIT_FULL */
	__u32 srtt_us;        /* smoothed round-trip time; 0: not measured yet */
	__u16 segments;       /* as TcpRetransSegs counts them; 0: it failed before it was counted */
	__u8 type;            /* RETRANSMIT_* */
	__u8 state;           /* TCP state */
	__u8 congestion;      /* TCP_CA_* (icsk_ca_state); 0 unless RETRANSMIT_FULL */
	__u8 error;           /* why it did not go out; 0: it did, or the kernel does not tell */
	__u8 flags;           /* RETRANSMIT_* */
	__u8 _pad[1];
};
SOCKEYE_ASSERT_SIZE(retransmits_event, 224);

#pragma GCC diagnostic pop

#endif
