/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_COUNTS_ON_TICK_STATE_BPF_H
#define SOCKEYE_COUNTS_ON_TICK_STATE_BPF_H

#include "bpf/moment.h"
#include "collectors/counts/counts.event.h"

/* Where the file's buffer is full the kernel comes back to this socket with an empty one. */
INLINE void write_visit(struct moment *m, const struct counts_visit *visit)
{
	bpf_seq_write(m->file, visit, sizeof(*visit));
}

INLINE void write_group_visit(struct moment *m, const struct counts_visit *visit)
{
	struct counts_group_visit row = {};
	struct socket_id id = {};

	read_moment_id(&id, m);
	row.visit = *visit;
	row.netns_cookie = id.netns_cookie;
	row.netns = id.netns;
	row.lport = id.lport;
	row.rport = id.rport;
	if (m->owner) {
		row.start_ns = m->owner->start_ns;
		row.cgroup_id = m->owner->cgroup_id;
		row.pid = m->owner->pid;
		row.owner_source = m->owner->source;
		row.cgroup_hierarchy = m->owner->cgroup_hierarchy;
		copy_comm(row.comm, m->owner->comm);
	}
	bpf_seq_write(m->file, &row, sizeof(row));
}

INLINE void counts_on_tick_state(struct moment *m)
{
	struct counts_visit visit = { .state = m->state };

	if (m->mini) {
		visit.socket = (__u64)m->mini;
		visit.is_mini = 1;
	} else {
		visit.socket = (__u64)m->tp;
	}
	if (settings.wants_groups)
		write_group_visit(m, &visit);
	else
		write_visit(m, &visit);
}

#endif
