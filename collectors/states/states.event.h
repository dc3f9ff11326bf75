/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One transition of one TCP socket (tracepoint sock:inet_sock_set_state). */
#ifndef SOCKEYE_STATES_EVENT_H
#define SOCKEYE_STATES_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define STATES_KIND 16

/* states_event.flags */
#define STATES_DURATION_KNOWN 1 /* the start of the old state was seen */
#define STATES_HELD 2 /* emitted later than it happened, when the ports were known; time_ns is the true time */

struct states_event {
	struct socket_event base;
	__u64 duration_ns; /* time spent in old_state; 0 unless STATES_DURATION_KNOWN */
	__u8 old_state;    /* TCP state */
	__u8 new_state;    /* TCP state */
	__u8 derived;      /* 1: the event stands for the kernel's old_state -> CLOSE */
	__u8 outcome;      /* OUTCOME_*; TIME_WAIT: new_state is TIME_WAIT, and derived is set */
	__u8 flags;        /* STATES_* */
	__u8 _pad[3];
};
SOCKEYE_ASSERT_SIZE(states_event, 192);

#pragma GCC diagnostic pop

#endif
