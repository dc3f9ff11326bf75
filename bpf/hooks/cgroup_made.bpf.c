/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook cgroup_made: a cgroup is there, and no process in it yet (cgroup_mkdir()). User space is woken at once: it
 * looks up which container that is while the runtime is still preparing it. It is not about a socket, so no collector has
 * handlers here. It has a ring of its own, which is read before that of the events, and has room when that has none.
 */
#include "bpf/compat.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 10); /* 682 cgroups; what finds no room is looked up when its first event comes */
} cgroup_made_ring SEC(".maps");

#define V2_HIERARCHY 0 /* cgroup_root.hierarchy_id of cgrp_dfl_root: cgroup_init() sets it up first */

/* Whether owners are told by cgroups of this hierarchy (read_cgroup()). */
INLINE int tells_owners(struct cgroup_root *root, __u32 *hierarchy)
{
	if (root->hierarchy_id == V2_HIERARCHY) {
		*hierarchy = CGROUP_V2;
		return 1;
	}
	if (!settings.has_cgroup_v1 || !bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return 0;
	*hierarchy = CGROUP_V1_MEMORY;
	return root->subsys_mask >> (bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) & 31) & 1;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_made__tp_btf, struct cgroup *cgrp)
{
	struct container_key key = {};

	if (!tells_owners(cgrp->root, &key.kind))
		return 0;
	key.id = cgrp->kn->id;
	bpf_ringbuf_output(&cgroup_made_ring, &key, sizeof(key), BPF_RB_FORCE_WAKEUP);
	return 0;
}
