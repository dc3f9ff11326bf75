/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The events of `drops`, for its handlers. */
#ifndef SOCKEYE_DROPS_EMIT_DROP_BPF_H
#define SOCKEYE_DROPS_EMIT_DROP_BPF_H

#include "bpf/emit.h"
#include "bpf/packet.h"
#include "collectors/drops/drops.event.h"

/* Names of the kernel's functions by an address in them: finding one takes longer than all the rest of an event. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct reason_name);
} drops_functions SEC(".maps");

static const char drops_symbol[] = "%ps"; /* the symbol without an offset */

INLINE void copy_name(char *to, const volatile struct reason_name *from)
{
	const volatile __u64 *words = (const volatile __u64 *)from->text;

	((__u64 *)to)[0] = words[0];
	((__u64 *)to)[1] = words[1];
	((__u64 *)to)[2] = words[2];
	((__u64 *)to)[3] = words[3];
}

INLINE void name_function(char *to, __u64 location)
{
	struct reason_name *known, name = {};

	if (!settings.names_functions || !location)
		return;
	known = bpf_map_lookup_elem(&drops_functions, &location);
	if (known) {
		copy_name(to, known);
		return;
	}
	if (bpf_snprintf(name.text, sizeof(name.text), drops_symbol, &location, sizeof(location)) < 0)
		return;
	bpf_map_update_elem(&drops_functions, &location, &name, BPF_ANY);
	copy_name(to, &name);
}

/* An index that is in bounds already, said so that the verifier sees it, too. `size` is a power of two. */
INLINE __u32 index_below(__u32 size, __u32 index)
{
	__asm__("" : "+r"(index));
	return index & (size - 1);
}

/* Of a subsystem's own reasons (mac80211, Open vSwitch) the name is the subsystem's. */
INLINE void name_reason_of_drop(struct drops_event *event, __u32 reason)
{
	__u32 subsystem = reason >> 16;

	if (!reason)
		return;
	event->flags |= DROPS_HAS_REASON;
	event->reason_number = reason;
	if (subsystem && subsystem < DROP_SUBSYSTEMS)
		copy_name(event->reason, &reasons.subsystems[index_below(DROP_SUBSYSTEMS, subsystem)]);
	else if (reason < DROP_REASONS)
		copy_name(event->reason, &reasons.drops[index_below(DROP_REASONS, reason)]);
}

INLINE void name_reason_of_reset(struct drops_event *event, __u32 reason)
{
	if (settings.reset_arguments < 3)
		return;
	event->flags |= DROPS_HAS_REASON;
	event->reason_number = reason;
	if (reason < RESET_REASONS)
		copy_name(event->reason, &reasons.resets[index_below(RESET_REASONS, reason)]);
}

/* A flood of dropped packets leaves half of the ring to the other collectors of the run. */
INLINE int ring_has_room(void)
{
	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < 2ull * settings.ring_wake_bytes)
		return 1;
	count_lost(LOST_RING_FULL);
	return 0;
}

/* An event of this type, all filled in but its reason; 0: it is not wanted, or there is no room. */
INLINE struct drops_event *begin_drop(struct hook_call *call, __u8 type)
{
	struct packet *packet = call->packet;
	struct drops_event *event;

	if (!filter_passes_state(&filters, packet->state) || !passes_filters(call) || !ring_has_room())
		return 0;
	event = reserve_event(drops_event, DROPS_KIND, call);
	if (!event)
		return 0;
	fill_socket_event(&event->base, call);
	read_context(&event->base.context);
	event->last_accept_ns = packet->last_accept_ns;
	event->length = packet->length;
	event->sequence = packet->sequence;
	event->packets = packet->packets;
	event->backlog = packet->backlog;
	event->backlog_limit = packet->backlog_limit;
	event->type = type;
	event->protocol = packet->protocol;
	event->tcp_flags = packet->tcp_flags;
	event->direction = packet->is_output ? DROPS_OUT : DROPS_IN;
	event->state = packet->state;
	if (packet->flags & PACKET_HAS_TCP_HEADER)
		event->flags |= DROPS_HAS_TCP_HEADER;
	if (packet->flags & PACKET_OF_LISTENER)
		event->flags |= DROPS_OF_LISTENER;
	if (type == DROPS_RESET_RECEIVED || type == DROPS_ACCEPT_OVERFLOW)
		event->flags |= DROPS_TYPE_SAYS_WHY;
	return event;
}

#endif
