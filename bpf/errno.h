/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 0: the kernel's errors by their names. Of x86 and arm64, which have no numbers of their own. */
#ifndef SOCKEYE_BPF_ERRNO_H
#define SOCKEYE_BPF_ERRNO_H

#include <asm-generic/errno.h>

#endif
