/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the visits of a snapshot tell user space beside the events of collectors: what it joins sockets and holders by. */
#ifndef SOCKEYE_BPF_HELD_SOCKET_H
#define SOCKEYE_BPF_HELD_SOCKET_H

#include "event/wire.h"

/*
 * A descriptor of a TCP or MPTCP socket: all that the hook visit_holder writes. The key is the socket's cookie, or its
 * address where tracing programs have no cookies (5.10); it is no part of any output. Never 0.
 */
struct held_socket {
	__u64 key;
	struct owner owner; /* who has it open */
	__u32 fd;           /* number of the descriptor */
	__u8 _pad[4];
};
SOCKEYE_ASSERT_SIZE(held_socket, 88);

#endif
