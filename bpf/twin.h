/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 3: how a moment loses nothing to itself. The kernel skips a tp_btf program for what arrives while it runs on
 * that CPU: an interrupt in the middle of it may bring a softirq with hundreds of packets, and all their events are gone.
 * So each moment whose events must be complete has a twin, attached second. The first program leaves a note, "I had
 * this socket", and the twin takes it back and has nothing to do; where there is no note the first was skipped, and the
 * twin does its work. A note is about one socket, and the same socket cannot come in between (the interrupted program
 * holds its lock), so there is no instant at which an interrupt makes the two disagree: a flag "the first is running"
 * would be wrong between the kernel's own mark and ours.
 */
#ifndef SOCKEYE_BPF_TWIN_H
#define SOCKEYE_BPF_TWIN_H

#include "bpf/base.h"

/*
 * Two are needed: a process's event, and one of the softirq that came between the two programs. A note is left behind
 * where the twin itself was skipped; such a one is old, and its place is taken again.
 */
#define NOTES 4
#define NOTE_IS_OLD_NS 1000000000ull /* no softirq holds a CPU that long */

struct note {
	__u64 socket;  /* its address; 0: free */
	__u64 time_ns; /* when it was written */
};

struct notes {
	struct note note[NOTES];
};

/* The notes of a moment: a map called <moment>_notes. */
#define TWIN_NOTES(name)                                 \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, 1);                  \
		__type(key, __u32);                      \
		__type(value, struct notes);             \
	} name SEC(".maps")

INLINE void note_for_twin(void *map, struct sock *sk, __u64 time_ns)
{
	__u32 zero = 0;
	struct notes *notes = bpf_map_lookup_elem(map, &zero);

	if (!notes)
		return;
	for (int i = 0; i < NOTES; i++) {
		struct note *note = &notes->note[i];

		if (note->socket && note->socket != (__u64)sk && time_ns - note->time_ns < NOTE_IS_OLD_NS)
			continue;
		note->time_ns = time_ns;
		note->socket = (__u64)sk;
		return;
	}
}

/* Whether the first program had this socket's event; its note is taken back. */
INLINE int take_note(void *map, struct sock *sk)
{
	__u32 zero = 0;
	struct notes *notes = bpf_map_lookup_elem(map, &zero);

	if (!notes)
		return 1;
	for (int i = 0; i < NOTES; i++) {
		if (notes->note[i].socket == (__u64)sk) {
			notes->note[i].socket = 0;
			return 1;
		}
	}
	return 0;
}

#endif
