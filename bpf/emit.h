/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 3: how a handler hands on an event. Into the ring: reserve or count the loss, zeroed, filled, submitted. Of an
 * iterator, where user space waits for all there is: into the iterator's own file, which cannot overflow.
 */
#ifndef SOCKEYE_BPF_EMIT_H
#define SOCKEYE_BPF_EMIT_H

#include "bpf/hook_call.h"

/* How many events each CPU has put into the ring, to look at its fill level now and then. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} ring_events SEC(".maps");

#define EVENTS_BETWEEN_LOOKS 32

/*
 * Nobody is woken per event (measured: 300 ns an event without, 3,000 to 8,000 with). The reader comes by time; it is
 * woken by those that look while the fill level passes ring_wake_bytes, not above: there it is on its way, or stopped.
 */
INLINE __u64 submit_flags(void)
{
	__u32 zero = 0, *events = bpf_map_lookup_elem(&ring_events, &zero);
	__u64 waiting;

	if (!events || ++*events % EVENTS_BETWEEN_LOOKS)
		return BPF_RB_NO_WAKEUP;
	waiting = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	if (waiting < settings.ring_wake_bytes || waiting > settings.ring_wake_bytes + settings.ring_wake_bytes / 4)
		return BPF_RB_NO_WAKEUP;
	return BPF_RB_FORCE_WAKEUP;
}

#define fill_header(event, event_kind, call)                                   \
	do {                                                                   \
		struct event_header *_header = (struct event_header *)(event); \
		_header->kind = event_kind;                                    \
		_header->size = sizeof(*(event));                              \
		_header->cpu = bpf_get_smp_processor_id();                     \
		_header->time_ns = (call)->time_ns;                            \
	} while (0)

/* A zeroed event of `type` in the ring, its header filled; 0: no room, counted. `return` at once where it is 0. */
#define reserve_event(type, event_kind, call)                                             \
	({                                                                                \
		struct type *_event = bpf_ringbuf_reserve(&ring, sizeof(struct type), 0); \
		if (_event) {                                                             \
			__builtin_memset(_event, 0, sizeof(*_event));                     \
			fill_header(_event, event_kind, call);                            \
		} else {                                                                  \
			count_lost(LOST_RING_FULL);                                       \
		}                                                                         \
		_event;                                                                   \
	})

#define submit_event(event) bpf_ringbuf_submit(event, submit_flags())

INLINE void submit_judged(struct socket_event *event, struct hook_call *call, int by_opener, struct asked_end *asked)
{
	int changed = filters.active && call->entry && *(volatile __u32 *)&call->entry->changes != call->judged;

	if (changed && !verdict_lets_pass(verdict_of_filters(&event->socket, &event->owner, by_opener, asked)))
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
	else
		submit_event(event);
}

/*
 * Of a filled event of one socket, behind passes_filters(). It is judged once more where the socket has changed since: on
 * another CPU a process may have accepted or used it before its owner was copied.
 */
#define submit_socket_event(event, call) submit_judged(event, call, 0, 0)

/* The same behind passes_filters_by_opener(). */
#define submit_socket_event_by_opener(event, call, asked) submit_judged(event, call, 1, asked)

/*
 * Of an iterator: an event on the stack, zeroed and with its header, into the file. Where it finds no room there nothing
 * is lost: the kernel hands out what is there and visits the same socket again.
 */
#define write_event(event, call) bpf_seq_write((call)->file, event, sizeof(*(event)))

/* The socket, its owner and the current task into the head of an event of one socket. */
INLINE void fill_socket_event(struct socket_event *event, struct hook_call *call)
{
	read_call_id(&event->socket, call);
	event->socket.cookie = call->cookie;
	if (call->entry) {
		event->socket.role = call->entry->role;
		copy_owner(&event->owner, &call->entry->whose);
	} else {
		if (call->lacks_entry)
			count_lost(LOST_ENTRY_ALLOC);
		if (!call->id)
			event->socket.role = call->role;
		if (call->owner)
			event->owner = *call->owner;
	}
}

#endif
