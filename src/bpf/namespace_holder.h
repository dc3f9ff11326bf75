/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What leads to a network namespace: the rows of the hooks visit_thread and visit_namespace. */
#ifndef SOCKEYE_BPF_NAMESPACE_HOLDER_H
#define SOCKEYE_BPF_NAMESPACE_HOLDER_H

#include "event/wire.h"

#define HELD_BY_THREAD 1     /* it is in the namespace, unlike its process */
#define HELD_BY_SOCKET 2     /* an open socket of any kind */
#define HELD_BY_DESCRIPTOR 3 /* an open file of the namespace itself, or of one of another kind */

struct namespace_holder {
	__u32 netns; /* inode number of the namespace */
	__u32 pid;   /* of the process, as the first pid namespace numbers it */
	__u32 tid;   /* of the thread; the same as pid but for threads with files or a namespace of their own */
	__u32 fd;    /* the descriptor; 0 of a thread */
	__u32 by;    /* HELD_BY_* */
};
SOCKEYE_ASSERT_SIZE(namespace_holder, 20);

#endif
