/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook process_exits: a thread ends (do_exit()), and with the last one its process, which closes its sockets now. It
 * serves owners alone: no handler is called. Of an owner of listeners user space hears, as nothing may happen to these.
 */
#include "bpf/owning_process.h"

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exits__tp_btf, struct task_struct *task)
{
	struct owning_process *process;
	__u32 pid = task->tgid;

	if (task->signal->live.counter > 0)
		return 0;
	process = bpf_map_lookup_elem(&owning_processes, &pid);
	if (!process)
		return 0;
	process->ended_by = (__u64)task;
	note_departure();
	if (process->listens)
		__sync_fetch_and_add(&counters.heirs_wanted, 1);
	return 0;
}
