/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 3: twins (bpf/twin.h says what they are for) of hooks that come with no lock to tell levels by: a packet is
 * dropped by whoever holds it. Notes are on a stack of their CPU: what interrupts the first program, the note and the
 * twin is over before they go on, so it has taken its own notes back by then.
 */
#ifndef SOCKEYE_BPF_NESTED_H
#define SOCKEYE_BPF_NESTED_H

#include "bpf/base.h"

#define NESTED_LEVELS 4 /* process, softirq, interrupt, and one to spare */

struct nested_notes {
	__u64 event[NESTED_LEVELS]; /* which event: an address; 0: no note */
};

/* The notes of a hook: a map called <hook>_notes. */
#define NESTED_NOTES(name)                               \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, 1);                  \
		__type(key, __u32);                      \
		__type(value, struct nested_notes);      \
	} name SEC(".maps")

/* Where all places are taken a twin was skipped, whose first program had the event: the oldest note goes. */
INLINE void leave_nested_note(void *map, __u64 event)
{
	__u32 zero = 0;
	volatile struct nested_notes *notes = bpf_map_lookup_elem(map, &zero);

	if (!notes)
		return;
	for (int i = 0; i < NESTED_LEVELS; i++) {
		if (!notes->event[i]) {
			notes->event[i] = event;
			return;
		}
	}
	for (int i = 0; i < NESTED_LEVELS - 1; i++)
		notes->event[i] = notes->event[i + 1];
	notes->event[NESTED_LEVELS - 1] = event;
}

/* Whether the first program had this event; its note is taken back. */
INLINE int take_nested_note(void *map, __u64 event)
{
	__u32 zero = 0;
	volatile struct nested_notes *notes = bpf_map_lookup_elem(map, &zero);

	if (!notes)
		return 1;
	for (int i = 0; i < NESTED_LEVELS; i++) {
		if (notes->event[i] == event) {
			notes->event[i] = 0;
			return 1;
		}
	}
	return 0;
}

#endif
