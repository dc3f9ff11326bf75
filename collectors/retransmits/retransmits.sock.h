/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `retransmits` remembers of a socket: that it was a timeout which took what was in flight for lost. */
#ifndef SOCKEYE_RETRANSMITS_SOCK_H
#define SOCKEYE_RETRANSMITS_SOCK_H

#include "event/wire.h"

struct retransmits_sock {
	__u32 timeout_high_seq; /* tcp_sock.high_seq of the last timeout: where the loss ends that it found */
	__u8 timed_out;         /* 1: there was one */
	__u8 _pad[3];
};
SOCKEYE_ASSERT_SIZE(retransmits_sock, 8);

#endif
