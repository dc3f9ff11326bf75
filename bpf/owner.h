/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 2: whose socket it is. The only place that decides it, for every moment and every collector. */
#ifndef SOCKEYE_BPF_OWNER_H
#define SOCKEYE_BPF_OWNER_H

#include "bpf/last_use.h"
#include "bpf/parent.h"
#include "bpf/read_task.h"

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

	forget_last_use(record->cookie);
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

/* A child comes out of its listener. */
INLINE void owner_inherited(struct sock_record *record, struct sock *sk, struct tcp_sock *tp)
{
	struct owner *parent = parent_owner(sk, tp);

	if (parent) {
		record->owner = *parent;
		if (record->owner.source != OWNER_UNKNOWN && record->owner.source != OWNER_KERNEL)
			record->owner.source = OWNER_INHERITED;
	}
	record_changed(record);
}

#endif
