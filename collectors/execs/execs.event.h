/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process runs another program now (execve(), after which nothing of the one before is left). Owner is that process.
 */
#ifndef SOCKEYE_EXECS_EVENT_H
#define SOCKEYE_EXECS_EVENT_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define EXECS_KIND 24

#define EXECS_PATH_LEN 128 /* terminating NUL included: longer paths are cut */

struct execs_event {
	struct owner_event base;
	char path[EXECS_PATH_LEN]; /* linux_binprm.filename, untrusted bytes; empty: it cannot be read here */
};
SOCKEYE_ASSERT_SIZE(execs_event, 240);

#pragma GCC diagnostic pop

#endif
