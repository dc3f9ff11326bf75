/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 1: an owner that several CPUs write and read: a process takes a socket in its own context, while a softirq
 * elsewhere copies it into an event. No lock is to be had in tracing programs, and no atomic exchange that 5.10 loads. A
 * unit test compiles it on the host.
 */
#ifndef SOCKEYE_BPF_GUARDED_OWNER_H
#define SOCKEYE_BPF_GUARDED_OWNER_H

#ifdef __bpf__
#include "bpf/base.h"
#elif !defined(INLINE)
#define INLINE static inline
#endif

#include "event/wire.h"

#define OWNER_COPIES 3 /* that are tried before the owner is taken for unknown */

/* One is shown, the other is written, so that there always is a whole one, also for what interrupts the writer. */
struct guarded_owner {
	__u32 begun; /* writes, and */
	__u32 finished;
	__u32 shown; /* the lowest bit: which */
	__u32 _pad;
	struct owner owners[2];
};

/* To look at: it may be another by the next look. */
INLINE struct owner *shown_owner(struct guarded_owner *of)
{
	return &of->owners[*(volatile __u32 *)&of->shown & 1];
}

/*
 * Where to write the new owner, all of it, before end_owner(); 0: somebody else is writing, and this one is not to be. Of
 * several at once one is written, or none: they have come too early to be told apart, and find out at their next use.
 */
INLINE struct owner *begin_owner(struct guarded_owner *of)
{
	__u32 finished;

	__sync_fetch_and_add(&of->begun, 1);
	finished = *(volatile __u32 *)&of->finished;
	if (*(volatile __u32 *)&of->begun == finished + 1)
		return &of->owners[(*(volatile __u32 *)&of->shown & 1) ^ 1];
	__sync_fetch_and_add(&of->finished, 1);
	return 0;
}

INLINE void end_owner(struct guarded_owner *of)
{
	__asm__ volatile("" ::: "memory");
	*(volatile __u32 *)&of->shown = of->shown ^ 1;
	__sync_fetch_and_add(&of->finished, 1);
}

/*
 * One that is whole: while it was copied one more write at most began, to the other place. Zeroed, which is unknown, where
 * it is written all the time.
 */
INLINE void copy_owner(struct owner *to, struct guarded_owner *from)
{
	for (int i = 0; i < OWNER_COPIES; i++) {
		__u32 finished = *(volatile __u32 *)&from->finished;

		*to = *shown_owner(from);
		__asm__ volatile("" ::: "memory");
		if ((__u32)(*(volatile __u32 *)&from->begun - finished) < 2)
			return;
	}
	__builtin_memset(to, 0, sizeof(*to));
}

#endif
