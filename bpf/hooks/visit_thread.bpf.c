/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook visit_thread: a visit to every thread, when user space reads the iterator. It tells of those that are in
 * another network namespace than their process: /proc shows them as well, but 10,000 threads take it 300 ms.
 */
#include "bpf/read_task.h"
#include "src/bpf/namespace_holder.h"

SEC("iter/task")
int visit_thread__iter(struct bpf_iter__task *ctx)
{
	struct namespace_holder holder = { .by = HELD_BY_THREAD };
	struct task_struct *task = ctx->task;

	if (!task)
		return 0;
	task = readable_task(task);
	holder.netns = netns_of_task(task);
	if (!holder.netns || holder.netns == netns_of_task(task->group_leader))
		return 0;
	holder.pid = task->tgid;
	holder.tid = task->pid;
	bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder));
	return 0;
}
