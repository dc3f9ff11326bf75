/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One TCP socket as it is now, read by an iterator. */
#ifndef SOCKEYE_WHO_EVENT_H
#define SOCKEYE_WHO_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define WHO_KIND 18

/* who_event.flags */
#define WHO_FULL 1 /* a full socket; else a minisocket or a request socket, which has no user, no inode and no queues */

struct who_event {
	struct socket_event base; /* context: the same as the owner, as nobody acts on a socket that is looked at */
	__u64 inode;  /* inode number of the socket; 0: none (not accepted yet, orphaned, or no full socket) */
	__u32 recv_q; /* LISTEN: connections waiting for accept(); else bytes received that nobody has read yet */
	__u32 send_q; /* LISTEN: the most that may wait; else bytes written and not acknowledged, SYN and FIN counting 1 */
	__u32 socket_uid; /* uid that the socket belongs to, initial user namespace; 0 unless WHO_FULL */
	__u8 state;       /* TCP state */
	__u8 flags;       /* WHO_* */
	__u8 _pad[2];
	struct wire_list
		holders; /* struct holder, by pid and fd; user space appends it to what the kernel side tells */
	__u8 _pad2[4];
};
SOCKEYE_ASSERT_SIZE(who_event, 216);

/* As the kernel side tells it. */
struct who_visit {
	struct who_event event;
	__u64 key; /* held_socket.key of its holders; 0: no process can have it open */
};
SOCKEYE_ASSERT_SIZE(who_visit, 224);

#pragma GCC diagnostic pop

#endif
