/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `connections` remembers of a socket: what it still has to tell of it. */
#ifndef SOCKEYE_CONNECTIONS_SOCK_H
#define SOCKEYE_CONNECTIONS_SOCK_H

#include "event/wire.h"

/* connections_sock.awaits */
#define CONNECTIONS_AWAITS_OUTCOME 1 /* a client in its handshake */
#define CONNECTIONS_AWAITS_PROCESS 2 /* a child of a listener that nobody has taken yet */

#define CONNECTIONS_TOLD_ANY 255

struct connections_sock {
	__u64 since_ns;  /* client: connect(); child: the end of the handshake, 0: before it */
	__u8 awaits;     /* CONNECTIONS_AWAITS_*; 0: all is told */
	__u8 told_error; /* errno of an attempt whose end is told: connect() may return it still. CONNECTIONS_TOLD_ANY:
			    it returns next, with one that was not known; 0: there is none */
	__u8 _pad[6];
	struct asked_end asked; /* client in its handshake: what its process asked for */
};
SOCKEYE_ASSERT_SIZE(connections_sock, 40);

#endif
