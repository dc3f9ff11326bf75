/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the counters of TCP sockets per state are seeded and checked with (src/aggregate/socket_counts.h). */
#ifndef SOCKEYE_COUNTS_EVENT_H
#define SOCKEYE_COUNTS_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define COUNTS_KIND 17

#define COUNTS_STATES 16 /* room for every state number */

/* A transition while the window was open. */
struct counts_event {
	struct event_header header;
	__u64 socket;   /* its address: no other socket comes to it without a transition of its own */
	__u8 old_state; /* TCP state */
	__u8 new_state; /* TCP state */
	__u8 _pad[6];
};
SOCKEYE_ASSERT_SIZE(counts_event, 32);

/* A socket that the iterator visited. */
struct counts_visit {
	__u64 socket; /* its address */
	__u8 state; /* TCP state; of a minisocket what it stands for: TIME_WAIT or FIN_WAIT2; of a request NEW_SYN_RECV */
	__u8 is_mini; /* 1: a minisocket or a request, which change without a transition */
	__u8 _pad[6];
};
SOCKEYE_ASSERT_SIZE(counts_visit, 16);

/* The same in a run that groups sockets: what they are grouped by as well. */
struct counts_group_visit {
	struct counts_visit visit;
	__u64 netns_cookie; /* cookie of the network namespace; 0 where the kernel has not given it one */
	__u64 start_ns;     /* of the owner, as in struct owner; 0 where it is unknown, like all below */
	__u64 cgroup_id;
	char comm[TASK_COMM_LEN];
	__u32 pid;
	__u32 netns;           /* inode number of the network namespace */
	__u16 lport;           /* local port; 0: none */
	__u16 rport;           /* remote port; 0: none */
	__u8 owner_source;     /* OWNER_* */
	__u8 cgroup_hierarchy; /* CGROUP_* */
	__u8 _pad[2];
};
SOCKEYE_ASSERT_SIZE(counts_group_visit, 72);

/* The one value of the map counts_window, mapped into user space. */
struct counts_window {
	__u64 moved[COUNTS_STATES]; /* while open: what is added here in place of tcp_state_map, which stands still */
	__u32 is_open;              /* set by user space */
	__u32 _pad;
};
SOCKEYE_ASSERT_SIZE(counts_window, 136);

#pragma GCC diagnostic pop

#endif
