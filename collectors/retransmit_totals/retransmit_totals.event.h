/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What TCP has sent again, counted in the kernel: by connection and owner, added up by user space for a process or a
 * container. */
#ifndef SOCKEYE_RETRANSMIT_TOTALS_EVENT_H
#define SOCKEYE_RETRANSMIT_TOTALS_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define RETRANSMIT_TOTALS_KIND 23

/* retransmit_totals_event.group: what is not named, but those below */
#define TOTALS_NAMED 0
#define TOTALS_UNKNOWN 1      /* nobody is known to own it */
#define TOTALS_KERNEL 2       /* sockets of the kernel's own */
#define TOTALS_NO_CONTAINER 3 /* processes that run in no container */
#define TOTALS_OTHER 4        /* those that there was no room for */

/* By what rows are told apart in the kernel. All zero: what there was no room for. */
struct retransmit_totals_key {
	__u64 cookie;   /* of the socket; of a request that has none its address */
	__u64 start_ns; /* of the owner, as in struct owner; with pid its identity */
	__u32 pid;
	__u32 is_row; /* 1 */
};
SOCKEYE_ASSERT_SIZE(retransmit_totals_key, 24);

struct retransmit_totals_event {
	/* socket, owner: of a row what it is about, the rest zero; owner all zero where there are several or none */
	struct socket_event base;
	__u64 interval_ns;     /* for how long it was counted; 0 in the kernel */
	__u64 segments;        /* as TcpRetransSegs counts them, of all types */
	__u64 bytes;           /* payload */
	__u64 timeout;         /* segments, by type: RETRANSMIT_* of retransmits.event.h */
	__u64 fast;            /* segments */
	__u64 tail_loss_probe; /* segments */
	__u64 syn;             /* segments */
	__u64 synack;          /* segments */
	__u64 non_congestion;  /* segments */
	__u64 failed;          /* segments that did not leave this host, among the others */
	__u8 group;            /* TOTALS_* */
	__u8 _pad[7];
};
SOCKEYE_ASSERT_SIZE(retransmit_totals_event, 264);

#pragma GCC diagnostic pop

#endif
