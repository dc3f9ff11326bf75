/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 2: whose socket it is. The only place that decides it, for every moment and every collector. */
#ifndef SOCKEYE_BPF_OWNER_H
#define SOCKEYE_BPF_OWNER_H

#include "bpf/read_task.h"
#include "bpf/sock_record.h"

INLINE void read_current(struct owner *owner, __u8 source)
{
	struct task_struct *task = current_task();

	if (task)
		read_owner(owner, task, source);
	else
		probe_owner(owner, source);
}

/*
 * The current process has the socket in its hands, unless the socket is the kernel's own: then it only happens to be the
 * one that mounts, or whose read or write goes to the server. A kernel thread that has a process's socket (NBD) leaves
 * no process to name.
 */
INLINE void owner_acts(struct sock_record *record, struct tcp_sock *tp, __u8 source)
{
	int kernels = is_kernel_socket(tp);

	if (kernels || current_is_kernel_thread()) {
		if (kernels || record->owner.source == OWNER_UNKNOWN || source == OWNER_CONNECT ||
		    source == OWNER_LISTEN) {
			__builtin_memset(&record->owner, 0, sizeof(record->owner));
			record->owner.source = OWNER_KERNEL;
			record_changed(record);
		}
		return;
	}
	read_current(&record->owner, source);
	record_changed(record);
}

/* Whether the current process is known as the owner already, by as good a proof: use is a better one than accept. */
INLINE int is_known_owner(struct owner *owner, __u8 source)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	return owner->pid == pid && owner->source != OWNER_INHERITED &&
	       (owner->source != OWNER_ACCEPT || source == OWNER_ACCEPT);
}

/* A process accepts, sends, receives, shuts down or closes. It becomes the owner unless it already is. */
INLINE void owner_touches(struct sock_record *record, struct tcp_sock *tp, __u8 source)
{
	if (!is_known_owner(&record->owner, source))
		owner_acts(record, tp, source);
}

/*
 * On kernels without socket storage for tracing (5.10) nothing is cloned from a listener to its children. There the
 * owner of a listener is found by namespace and port: not exact for SO_REUSEPORT, where the last listen() wins.
 */
struct listener_key {
	__u32 netns;
	__u32 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct listener_key);
	__type(value, struct owner);
} listener_by_port SEC(".maps");

INLINE struct listener_key listener_key_of(struct tcp_sock *tp)
{
	struct listener_key key = {
		.netns = tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net->ns.inum,
		.port = local_port(tp),
	};

	return key;
}

INLINE void remember_listener(struct sock_record *record, struct tcp_sock *tp)
{
	struct listener_key key = listener_key_of(tp);

	if (!settings.has_socket_storage)
		bpf_map_update_elem(&listener_by_port, &key, &record->owner, BPF_ANY);
}

/* A child comes out of its listener: its record is the listener's clone, of which only the owner is inherited. */
INLINE void owner_inherited(struct sock_record *record, struct tcp_sock *tp)
{
	if (!settings.has_socket_storage) {
		struct listener_key key = listener_key_of(tp);
		struct owner *listener = bpf_map_lookup_elem(&listener_by_port, &key);

		if (listener)
			record->owner = *listener;
	}
	if (record->owner.source != OWNER_UNKNOWN && record->owner.source != OWNER_KERNEL)
		record->owner.source = OWNER_INHERITED;
	record_changed(record);
}

#endif
