/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `@NAME@` remembers of a socket. */
#ifndef SOCKEYE_@UPPER@_SOCK_H
#define SOCKEYE_@UPPER@_SOCK_H

#include "event/wire.h"

/* Written under the lock of the socket. */
struct @NAME@_sock {
	__u64 changes; /* state changes so far */
};
SOCKEYE_ASSERT_SIZE(@NAME@_sock, 8);

#endif
