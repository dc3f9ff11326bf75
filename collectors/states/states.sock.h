/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `states` remembers of a socket: an event held back until its ports are known. */
#ifndef SOCKEYE_STATES_SOCK_H
#define SOCKEYE_STATES_SOCK_H

#include "event/wire.h"

struct states_sock {
	__u64 since_ns;              /* when the present state was entered; 0: before sockeye could see it */
	__u64 held_time_ns;          /* when the held transition happened; 0: no event is held */
	__u64 held_duration_ns;      /* its duration_ns */
	struct task_context held_by; /* its context */
	__u8 held_old;               /* its old state */
	__u8 held_new;               /* its new state */
	__u8 held_flags;             /* its STATES_* flags */
	__u8 _pad[5];
};
SOCKEYE_ASSERT_SIZE(states_sock, 56);

#endif
