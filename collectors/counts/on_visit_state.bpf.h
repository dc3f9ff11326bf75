/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_COUNTS_ON_VISIT_STATE_BPF_H
#define SOCKEYE_COUNTS_ON_VISIT_STATE_BPF_H

#include "bpf/hook_call.h"
#include "collectors/counts/counts.event.h"

/* Where the file's buffer is full the kernel comes back to this socket with an empty one. */
INLINE void write_visit(struct hook_call *call, const struct counts_visit *visit)
{
	bpf_seq_write(call->file, visit, sizeof(*visit));
}

INLINE void write_group_visit(struct hook_call *call, const struct counts_visit *visit)
{
	struct counts_group_visit row = {};
	struct socket_id id = {};

	read_call_id(&id, call);
	row.visit = *visit;
	row.netns_cookie = id.netns_cookie;
	row.netns = id.netns;
	row.lport = id.lport;
	row.rport = id.rport;
	if (call->owner) {
		row.start_ns = call->owner->start_ns;
		row.cgroup_id = call->owner->cgroup_id;
		row.pid = call->owner->pid;
		row.owner_source = call->owner->source;
		row.cgroup_hierarchy = call->owner->cgroup_hierarchy;
		copy_comm(row.comm, call->owner->comm);
	}
	bpf_seq_write(call->file, &row, sizeof(row));
}

INLINE void counts_on_visit_state(struct hook_call *call)
{
	struct counts_visit visit = { .state = call->state };

	if (call->mini) {
		visit.socket = (__u64)call->mini;
		visit.is_mini = 1;
	} else {
		visit.socket = (__u64)call->tp;
	}
	if (settings.wants_groups)
		write_group_visit(call, &visit);
	else
		write_visit(call, &visit);
}

#endif
