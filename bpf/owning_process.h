/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: the processes that own sockets, until they are gone. A process that has ended closes its sockets before it is
 * gone for its parent (exit_files() and exit_task_work() of do_exit(), then exit_notify()); those that another one holds
 * as well live on, and must not be called the property of the dead, whose number will be somebody else's.
 */
#ifndef SOCKEYE_BPF_OWNING_PROCESS_H
#define SOCKEYE_BPF_OWNING_PROCESS_H

#include "bpf/compat.h"

#define PROCESS_RUNS 0
#define PROCESS_IS_GONE 1 /* its last thread, whose address it was, has been freed */

struct owning_process {
	__u64 start_ns; /* with the number its identity */
	__u64 ended_by; /* address of the thread that ended last (struct task_struct), or PROCESS_* */
	__u32 listens;  /* it owns a listener */
	__u8 _pad[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32); /* owner.pid */
	__type(value, struct owning_process);
} owning_processes SEC(".maps");

__u32 departures = 0; /* counted up when one of them ends, and when it is gone */

INLINE void note_departure(void)
{
	__sync_fetch_and_add(&departures, 1);
}

/* The process owns a socket. Where there is no room for it, it is taken for one that runs for ever: counted. */
INLINE void note_owning_process(const struct owner *owner, int listens)
{
	struct owning_process fresh = { .start_ns = owner->start_ns, .listens = listens };
	struct owning_process *known;
	__u32 pid = owner->pid;

	if (!owner->start_ns)
		return;
	known = bpf_map_lookup_elem(&owning_processes, &pid);
	if (known && known->start_ns == owner->start_ns) {
		if (listens)
			known->listens = 1;
		return;
	}
	if (bpf_map_update_elem(&owning_processes, &pid, &fresh, BPF_ANY))
		__sync_fetch_and_add(&counters.processes_untracked, 1);
}

/* task_struct.exit_state: not 0 once exit_notify() has told its parent. Where it may not be read, it is not yet. */
INLINE int is_task_over(__u64 address)
{
	struct task_struct *task = (void *)address;

	if (settings.task_type)
		return readable_task(task)->exit_state != 0;
	if (settings.may_probe_read)
		return BPF_CORE_READ(task, exit_state) != 0;
	return 0;
}

#define OWNER_IS_THERE 0
#define OWNER_IS_ENDING 1 /* it may be closing its sockets just now */
#define OWNER_HAS_LEFT 2

INLINE int whereabouts_of(const struct owner *owner)
{
	struct owning_process *process;
	__u32 pid = owner->pid;

	if (!owner->start_ns)
		return OWNER_IS_THERE;
	process = bpf_map_lookup_elem(&owning_processes, &pid);
	if (!process || process->start_ns != owner->start_ns)
		return counters.processes_untracked ? OWNER_IS_THERE : OWNER_HAS_LEFT;
	if (process->ended_by == PROCESS_RUNS)
		return OWNER_IS_THERE;
	if (process->ended_by == PROCESS_IS_GONE || is_task_over(process->ended_by))
		return OWNER_HAS_LEFT;
	return OWNER_IS_ENDING;
}

#endif
