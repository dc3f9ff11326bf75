/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 1: what is read from a task. */
#ifndef SOCKEYE_BPF_READ_TASK_H
#define SOCKEYE_BPF_READ_TASK_H

#include "bpf/compat.h"

/* comm is always NUL-terminated in 16 bytes; it may change while it is read (prctl), which shows as a mixture. */
INLINE void copy_comm(char *to, char *from)
{
	((__u64 *)to)[0] = ((__u64 *)from)[0];
	((__u64 *)to)[1] = ((__u64 *)from)[1];
}

/* The v2 cgroup, or, where that is the root (hybrid hierarchies leave every process there), the v1 memory cgroup. */
INLINE void read_cgroup(struct owner *owner, struct task_struct *task)
{
	struct css_set *set = task->cgroups;
	__u64 id = set->dfl_cgrp->kn->id;

	owner->cgroup_id = id;
	owner->cgroup_hierarchy = CGROUP_V2;
	if (id == 1 && settings.has_cgroup_v1 && bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
		struct cgroup_subsys_state **states = &set->subsys[0];
		struct cgroup_subsys_state *memory = states[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)];

		if (memory) {
			owner->cgroup_id = memory->cgroup->kn->id;
			owner->cgroup_hierarchy = CGROUP_V1_MEMORY;
		}
	}
}

/* Where pid.numbers[level].nr lies behind pid.numbers; the mask only tells the verifier of <= 6.1 that it is bounded. */
INLINE __u64 number_offset(__u32 level)
{
	__u64 offset = (__u64)level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr);

	return offset & 0xfff;
}

/* The pid that the process itself sees. pid.numbers[] cannot be indexed through a BTF pointer on all kernels. */
INLINE __u32 innermost_pid(struct task_struct *leader)
{
	struct pid *pid = leader->thread_pid;
	__u32 level = 0, number = 0;

	if (!pid)
		return 0;
	level = pid->level;
	if (!level)
		return (__u32)leader->pid;
	if (!settings.may_probe_read)
		return 0;
	bpf_probe_read_kernel(&number, sizeof(number), (void *)&pid->numbers[0] + number_offset(level));
	return number;
}

/* The network namespace that a thread is in, by its inode number; 0: it has ended. */
INLINE __u32 netns_of_task(struct task_struct *task)
{
	struct nsproxy *namespaces = task->nsproxy;

	if (!namespaces || !is_address(namespaces))
		return 0;
	return namespaces->net_ns->ns.inum;
}

INLINE void read_owner(struct owner *owner, struct task_struct *task, __u8 source)
{
	struct task_struct *leader = task->group_leader;

	owner->start_ns = leader->start_boottime;
	copy_comm(owner->comm, leader->comm);
	copy_comm(owner->thread, task->comm);
	owner->pid = (__u32)task->tgid;
	owner->tid = (__u32)task->pid;
	owner->ppid = (__u32)leader->real_parent->tgid;
	owner->uid = task->cred->uid.val;
	owner->ns_pid = innermost_pid(leader);
	owner->source = source;
	read_cgroup(owner, task);
}

/* innermost_pid() of a task that is only a number. */
INLINE __u32 probe_innermost_pid(struct task_struct *leader)
{
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level), number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), (void *)&pid->numbers[0] + number_offset(level));
	return number;
}

/* read_cgroup() of a task that is only a number. */
INLINE void probe_cgroup(struct owner *owner, struct task_struct *task)
{
	owner->cgroup_id = bpf_get_current_cgroup_id();
	owner->cgroup_hierarchy = CGROUP_V2;
	if (owner->cgroup_id == 1 && settings.may_probe_read && settings.has_cgroup_v1 &&
	    bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
		struct css_set *set = BPF_CORE_READ(task, cgroups);
		struct cgroup_subsys_state **states = &set->subsys[0], *memory = 0;

		bpf_probe_read_kernel(&memory, sizeof(memory),
				      &states[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)]);
		if (memory) {
			owner->cgroup_id = BPF_CORE_READ(memory, cgroup, kn, id);
			owner->cgroup_hierarchy = CGROUP_V1_MEMORY;
		}
	}
}

/*
 * read_owner() of the current task where it is only a number (5.10). Another CPU may read the owner of this socket
 * meanwhile, and must not find it empty.
 */
INLINE void probe_owner(struct owner *to, __u8 source)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 ids = bpf_get_current_pid_tgid();
	struct owner now, *owner = &now;

	__builtin_memset(owner, 0, sizeof(*owner));
	owner->pid = ids >> 32;
	owner->tid = (__u32)ids;
	owner->uid = (__u32)bpf_get_current_uid_gid();
	owner->source = source;
	probe_cgroup(owner, task);
	bpf_get_current_comm(owner->thread, sizeof(owner->thread));
	if (settings.may_probe_read) {
		struct task_struct *leader = BPF_CORE_READ(task, group_leader);

		bpf_probe_read_kernel_str(owner->comm, sizeof(owner->comm), &leader->comm);
		owner->start_ns = BPF_CORE_READ(leader, start_boottime);
		owner->ppid = (__u32)BPF_CORE_READ(leader, real_parent, tgid);
		owner->ns_pid = probe_innermost_pid(leader);
	} else {
		__builtin_memcpy(owner->comm, owner->thread, sizeof(owner->comm));
	}
	*to = now;
}

INLINE void read_context(struct task_context *context)
{
	if (settings.has_current_btf) {
		struct task_struct *task = bpf_get_current_task_btf();

		context->pid = (__u32)task->tgid;
		context->tid = (__u32)task->pid;
		copy_comm(context->comm, task->comm);
	} else {
		__u64 ids = bpf_get_current_pid_tgid();

		context->pid = ids >> 32;
		context->tid = (__u32)ids;
		bpf_get_current_comm(context->comm, sizeof(context->comm));
	}
}

#endif
