/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook process_freed: nobody waits for a thread any more, and its memory is about to be freed
 * (delayed_put_task_struct()). The first thread of a process goes last, when its parent has been told. It serves owners alone:
 * no handler is called.
 */
#include "bpf/owning_process.h"

SEC("tp_btf/sched_process_free")
int BPF_PROG(process_freed__tp_btf, struct task_struct *task)
{
	struct owning_process *process;
	__u32 pid = task->tgid;

	process = bpf_map_lookup_elem(&owning_processes, &pid);
	if (!process)
		return 0;
	if (task->pid == task->tgid && process->start_ns == task->start_boottime)
		bpf_map_delete_elem(&owning_processes, &pid);
	else if (process->ended_by == (__u64)task)
		process->ended_by = PROCESS_IS_GONE;
	else
		return 0;
	note_departure();
	return 0;
}
