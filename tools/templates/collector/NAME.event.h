/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One state change of one TCP socket (tracepoint sock:inet_sock_set_state), counted. */
#ifndef SOCKEYE_@UPPER@_EVENT_H
#define SOCKEYE_@UPPER@_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define @UPPER@_KIND @KIND@

struct @NAME@_event {
	struct socket_event base;
	__u64 nth; /* which state change of this socket it is, since sockeye first saw it; 0: no event, not counted */
};
SOCKEYE_ASSERT_SIZE(@NAME@_event, 184);

#pragma GCC diagnostic pop

#endif
