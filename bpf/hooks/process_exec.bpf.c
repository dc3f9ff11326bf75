/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook process_exec: a process runs another program now (exec_binprm()); it has that program's name and rights by then. It
 * is about no socket: the call has an owner, the process itself, and nothing to find an entry by.
 */
#include "bpf/emit.h"
#include "gen/handlers_process_exec.h"

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec__tp_btf, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct owner process = {};
	struct hook_call call = { .owner = &process, .path = program->filename };

	stamp_call(&call);
	read_owner(&process, task, OWNER_ITSELF);
	handlers_process_exec(&call);
	return 0;
}
