/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_COUNTS_ON_SET_STATE_BPF_H
#define SOCKEYE_COUNTS_ON_SET_STATE_BPF_H

#include "bpf/emit.h"
#include "collectors/counts/counts.event.h"

/* TCP sockets per state, by state number. Its name is an interface: `bpftool map dump name tcp_state_map`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, COUNTS_STATES);
	__type(key, int);
	__type(value, __u64);
} tcp_state_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts_window);
} counts_window SEC(".maps");

INLINE void add_to_state(struct counts_window *window, int state, __u64 by)
{
	__u64 *counter =
		window ? &window->moved[state & (COUNTS_STATES - 1)] : bpf_map_lookup_elem(&tcp_state_map, &state);

	if (counter)
		__sync_fetch_and_add(counter, by);
}

INLINE void count_transition(struct hook_call *call)
{
	struct counts_event *event;

	stamp_call(call);
	event = reserve_event(counts_event, COUNTS_KIND, call);
	if (!event)
		return;
	event->socket = (__u64)call->tp;
	event->old_state = call->old_state;
	event->new_state = call->new_state;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

INLINE void counts_on_set_state(struct hook_call *call)
{
	__u32 zero = 0;
	struct counts_window *window = bpf_map_lookup_elem(&counts_window, &zero);

	if (!window)
		return;
	if (*(volatile __u32 *)&window->is_open)
		count_transition(call);
	else
		window = 0;
	/* Closed sockets are not counted. A child is born from a LISTEN that stays with its listener. */
	if (call->old_state != TCP_CLOSE && !(call->old_state == TCP_LISTEN && call->new_state == TCP_SYN_RECV))
		add_to_state(window, call->old_state, -1);
	if (call->new_state != TCP_CLOSE)
		add_to_state(window, call->new_state, 1);
}

#endif
