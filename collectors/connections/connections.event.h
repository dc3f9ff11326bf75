/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A connection that was opened, one that was accepted, or one that could not be opened. */
#ifndef SOCKEYE_CONNECTIONS_EVENT_H
#define SOCKEYE_CONNECTIONS_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define CONNECTIONS_KIND 19

/* connections_event.event_type */
#define CONNECTIONS_CONNECT 1 /* the end of connect(): the handshake is done, or it failed */
#define CONNECTIONS_ACCEPT 2  /* a process takes a connection that came in */

/* connections_event.outcome */
#define CONNECTIONS_ESTABLISHED 0
#define CONNECTIONS_REFUSED 1          /* ECONNREFUSED: a reset, or a port that an ICMP message calls unreachable */
#define CONNECTIONS_TIMED_OUT 2        /* ETIMEDOUT: no answer to the SYN and all its repetitions */
#define CONNECTIONS_HOST_UNREACHABLE 3 /* EHOSTUNREACH, EHOSTDOWN; EACCES, where an ICMPv6 message says so */
#define CONNECTIONS_NET_UNREACHABLE 4  /* ENETUNREACH, ENETDOWN */
#define CONNECTIONS_DENIED 5           /* EPERM, EACCES of connect() itself: a rule of this host forbids it */
#define CONNECTIONS_NO_LOCAL_PORT 6    /* EADDRNOTAVAIL, EADDRINUSE */
#define CONNECTIONS_CANCELLED 7        /* closed by its own program before there was an answer: no error */
#define CONNECTIONS_ABORTED 8          /* ECONNABORTED: ended from outside (ss -K) */
#define CONNECTIONS_FAILED 9           /* any other error */
#define CONNECTIONS_REPAIRED 10        /* made without a handshake, in repair mode (TCP_REPAIR) */

/* connections_event.flags */
#define CONNECTIONS_DURATION_KNOWN 1

struct connections_event {
	struct socket_event base;
	__u8 saddr[16]; /* who opened it, network order, IPv4 as ::ffff:a.b.c.d */
	__u8 daddr[16]; /* who accepted it, or was asked to */
	/* where daddr was translated to; all zero: nowhere, or not known. By a program of a cgroup: the socket's remote
	   end; by a rule: user space fills it in */
	__u8 nat_daddr[16];
	__u64 duration_ns; /* connect: from connect() to the end of the attempt, with TCP_FASTOPEN_CONNECT from the SYN to its
			      answer; accept: from the end of the handshake to here. 0 unless CONNECTIONS_DURATION_KNOWN */
	__u32 retransmits; /* connect: SYNs that were sent again (tcp_sock.total_retrans until then); accept: 0 */
	__u16 sport;       /* port of saddr, host order; 0: there was none yet */
	__u16 dport;       /* port of daddr, host order */
	__u16 nat_dport;   /* port of nat_daddr, host order; 0 as nat_daddr */
	__u8 event_type;   /* CONNECTIONS_CONNECT or CONNECTIONS_ACCEPT */
	__u8 outcome;      /* CONNECTIONS_*; ESTABLISHED for every accept */
	__u8 error;        /* errno of a connect that failed; 0: none, or not known */
	__u8 flags;        /* CONNECTIONS_* */
	__u8 _pad[2];
};
SOCKEYE_ASSERT_SIZE(connections_event, 248);

#pragma GCC diagnostic pop

#endif
