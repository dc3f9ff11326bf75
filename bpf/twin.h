/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 3: how a hook loses nothing to itself. The kernel skips a tp_btf program for what arrives while it runs on
 * that CPU: an interrupt in the middle of it may bring a softirq with hundreds of packets, and all their events are
 * gone. So each hook whose events must be complete has a twin, attached second. The first program leaves a note, "I
 * had this one", which the twin takes back and has nothing to do; where there is no note the first was skipped, and the
 * twin does its work.
 *
 * There are two levels. Where a process holds the socket's lock (sk_lock.owned) softirqs may come in between; where it
 * does not, they are off. So on a CPU an event of the upper level is never interrupted by another of its kind, and one
 * place for a note at each level is enough, whatever comes between the first program, the note and the twin.
 * (A flag "the first is running" is not: between the kernel's own mark and the flag there is an instant in which the
 * first is skipped and the twin idle. Measured: 6 of 200,000 events.)
 */
#ifndef SOCKEYE_BPF_TWIN_H
#define SOCKEYE_BPF_TWIN_H

#include "bpf/read_sock.h"

/* Which event: `which` is what no two events of a socket have in common that come one right after the other. */
struct note {
	__u64 socket; /* its address; 0: no note */
	__u64 which;
};

struct notes {
	struct note by_level[2];
};

/* The notes of a hook: a map called <hook>_notes. */
#define TWIN_NOTES(name)                                 \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, 1);                  \
		__type(key, __u32);                      \
		__type(value, struct notes);             \
	} name SEC(".maps")

INLINE volatile struct note *note_place(void *map, struct sock *sk)
{
	__u32 zero = 0;
	struct notes *notes = bpf_map_lookup_elem(map, &zero);

	if (!notes)
		return 0;
	return locked_by_current(sk) ? &notes->by_level[1] : &notes->by_level[0];
}

INLINE void leave_note(void *map, struct sock *sk, __u64 which)
{
	volatile struct note *note = note_place(map, sk);

	if (!note)
		return;
	note->which = which;
	note->socket = (__u64)sk;
}

/* Whether the first program had this event; its note is taken back. */
INLINE int take_note(void *map, struct sock *sk, __u64 which)
{
	volatile struct note *note = note_place(map, sk);

	if (!note)
		return 1;
	if (note->socket != (__u64)sk || note->which != which)
		return 0;
	note->socket = 0;
	return 1;
}

#endif
