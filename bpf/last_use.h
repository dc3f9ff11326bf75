/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: who used a socket last, where that is its owner: a process that goes on using its socket finds itself here, and
 * there is nothing to learn of it. By the socket's cookie; of two that meet in one place the later one has it. Kernels whose
 * tracing programs cannot ask for cookies (5.10) look at the entry each time.
 */
#ifndef SOCKEYE_BPF_LAST_USE_H
#define SOCKEYE_BPF_LAST_USE_H

#include "bpf/base.h"

#define PID_BITS 22 /* PID_MAX_LIMIT of <linux/threads.h> */

/*
 * One word each, so that nobody sees half of one: the cookie, and below it the process. User space says how many: where
 * sockets in use meet in one place each use looks at the entry (8,000 connections in 4,096 places: 400 ns in place of 45).
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} last_uses SEC(".maps");

/* 0: there is none. */
INLINE volatile __u64 *last_use_of(__u64 cookie)
{
	__u32 place = (__u32)cookie & settings.last_use_mask;

	if (!settings.has_socket_cookie || !cookie)
		return 0;
	return bpf_map_lookup_elem(&last_uses, &place);
}

INLINE __u64 use_by_current(__u64 cookie)
{
	return cookie << PID_BITS | bpf_get_current_pid_tgid() >> 32;
}

INLINE int current_used_it_last(__u64 cookie)
{
	volatile __u64 *use = last_use_of(cookie);

	return use && *use == use_by_current(cookie);
}

INLINE void note_last_use(__u64 cookie)
{
	volatile __u64 *use = last_use_of(cookie);

	if (use)
		*use = use_by_current(cookie);
}

/* Another one may own it now. */
INLINE void forget_last_use(__u64 cookie)
{
	volatile __u64 *use = last_use_of(cookie);

	if (use)
		*use = 0;
}

#endif
