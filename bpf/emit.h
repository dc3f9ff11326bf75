/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 3: how a handler hands on an event. Into the ring: reserve or count the loss, zeroed, filled, submitted. Of an
 * iterator, where user space waits for all there is: into the iterator's own file, which cannot overflow.
 */
#ifndef SOCKEYE_BPF_EMIT_H
#define SOCKEYE_BPF_EMIT_H

#include "bpf/moment.h"

/*
 * Nobody is woken per event (measured: 300 ns an event without, 3,000 to 8,000 with). The reader comes by time; it is
 * woken once when the fill level passes ring_wake_bytes.
 */
INLINE __u64 submit_flags(__u32 size)
{
	__u64 waiting = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);

	if (waiting >= settings.ring_wake_bytes && waiting - settings.ring_wake_bytes < size + 8)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

#define fill_header(event, event_kind, m)                                      \
	do {                                                                   \
		struct event_header *_header = (struct event_header *)(event); \
		_header->kind = event_kind;                                    \
		_header->size = sizeof(*(event));                              \
		_header->cpu = bpf_get_smp_processor_id();                     \
		_header->time_ns = (m)->time_ns;                               \
	} while (0)

/* A zeroed event of `type` in the ring, its header filled; 0: no room, counted. `return` at once where it is 0. */
#define reserve_event(type, event_kind, m)                                                \
	({                                                                                \
		struct type *_event = bpf_ringbuf_reserve(&ring, sizeof(struct type), 0); \
		if (_event) {                                                             \
			__builtin_memset(_event, 0, sizeof(*_event));                     \
			fill_header(_event, event_kind, m);                               \
		} else {                                                                  \
			count_lost(LOST_RING_FULL);                                       \
		}                                                                         \
		_event;                                                                   \
	})

#define submit_event(event) bpf_ringbuf_submit(event, submit_flags(sizeof(*(event))))

/*
 * Of an iterator: an event on the stack, zeroed and with its header, into the file. Where it finds no room there nothing
 * is lost: the kernel hands out what is there and visits the same socket again.
 */
#define write_event(event, m) bpf_seq_write((m)->file, event, sizeof(*(event)))

/* The socket, its owner and the current task into the head of an event of one socket. */
INLINE void fill_socket_event(struct socket_event *event, struct moment *m)
{
	read_moment_id(&event->socket, m);
	event->socket.cookie = m->cookie;
	if (m->record) {
		event->socket.role = m->record->role;
		event->owner = m->record->owner;
	}
}

#endif
