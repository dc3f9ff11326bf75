/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet of TCP or UDP that the kernel threw away (tracepoint skb:kfree_skb), a reset (tcp:tcp_send_reset,
 * tcp:tcp_receive_reset), or a connection that found an accept queue full. Of base, socket holds the ends of the
 * packet: local is where it was to be received, or came from. Cookie, role and owner are of the socket that it was for,
 * where one is known.
 */
#ifndef SOCKEYE_DROPS_EVENT_H
#define SOCKEYE_DROPS_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define DROPS_KIND 22

/* drops_event.type */
#define DROPS_DROP 1
#define DROPS_RESET_SENT 2
#define DROPS_RESET_RECEIVED 3
#define DROPS_ACCEPT_OVERFLOW 4

/* drops_event.direction */
#define DROPS_IN 1  /* the machine received it */
#define DROPS_OUT 2 /* the machine was sending it */

/* drops_event.flags */
#define DROPS_HAS_TCP_HEADER 1 /* tcp_flags and sequence are those of the packet */
#define DROPS_OF_LISTENER 2    /* backlog and backlog_limit are those of the listener's accept queue */
#define DROPS_HAS_REASON 4     /* the kernel gives a reason: reason_number */
#define DROPS_TYPE_SAYS_WHY 8  /* the type says why; the kernel may give a reason of its own */

#define DROPS_NAME_LEN 32 /* terminating NUL included: longer names are cut */

struct drops_event {
	struct socket_event base;
	__u64 last_accept_ns;        /* CLOCK_BOOTTIME: when the listener's process last accepted; 0: not seen */
	char reason[DROPS_NAME_LEN]; /* enum skb_drop_reason or sk_rst_reason of this kernel; of others, a subsystem */
	char function[DROPS_NAME_LEN]; /* kernel function that dropped it; empty: not known */
	__u32 reason_number;           /* as this kernel numbers it; 0 unless DROPS_HAS_REASON */
	__u32 length;                  /* bytes, sk_buff.len where it was dropped; 0: there is no packet */
	__u32 sequence;                /* of TCP; 0 unless DROPS_HAS_TCP_HEADER */
	__u32 packets;                 /* how many packets this event stands for */
	__u32 backlog;                 /* connections that wait for accept(); 0 unless DROPS_OF_LISTENER */
	__u32 backlog_limit;           /* of listen(); one more may wait. 0 unless DROPS_OF_LISTENER */
	__u8 type;                     /* DROPS_DROP, ... */
	__u8 protocol;                 /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 tcp_flags;                /* lower eight flags of the header; 0 unless DROPS_HAS_TCP_HEADER */
	__u8 direction;                /* DROPS_IN or DROPS_OUT */
	__u8 state;                    /* that of the TCP socket it was for; 0: none is known */
	__u8 flags;                    /* DROPS_HAS_TCP_HEADER, ... */
	__u8 _pad[2];
};
SOCKEYE_ASSERT_SIZE(drops_event, 280);

#pragma GCC diagnostic pop

#endif
