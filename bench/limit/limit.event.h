/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the minimal program tells of one state change: what its line shows, and nothing else. */
#ifndef SOCKEYE_BENCH_LIMIT_EVENT_H
#define SOCKEYE_BENCH_LIMIT_EVENT_H

#include "src/event/wire.h"

struct limit_event {
	__u64 socket;      /* address of the struct sock */
	__u64 duration_ns; /* in the old state; 0: not known */
	__u8 laddr[16];    /* IPv6, or IPv4 as ::ffff:a.b.c.d */
	__u8 raddr[16];
	char comm[TASK_COMM_LEN]; /* of the current task */
	__u32 pid;                /* of the current task */
	__u16 lport;              /* host byte order */
	__u16 rport;
	__u8 old_state; /* TCP state */
	__u8 new_state;
	__u8 _pad[6];
};
SOCKEYE_ASSERT_SIZE(limit_event, 80);

#endif
