/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook visit_holder: a visit to every open file of every process, when user space reads the iterator. It tells of
 * each TCP or MPTCP socket who has it open, of all its holders, and leaves nothing in the kernel.
 */
#include "bpf/fd_to_sock.h"
#include "bpf/read_task.h"
#include "src/bpf/held_socket.h"

INLINE int tell_holder(struct bpf_iter__task_file *ctx, __u64 key, struct task_struct *task)
{
	struct held_socket held = { .key = key, .fd = ctx->fd };

	if (!key)
		return 0;
	read_owner(&held.owner, task, OWNER_SNAPSHOT);
	bpf_seq_write(ctx->meta->seq, &held, sizeof(held));
	return 0;
}

SEC("iter/task_file")
int visit_holder__iter(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct sock *sk;

	if (!file || !task)
		return 0;
	sk = socket_of_file(file);
	if (!sk || (!is_tcp_socket(sk) && !is_mptcp_connection(sk)))
		return 0;
	return tell_holder(ctx, settings.has_socket_cookie ? socket_cookie(&sk->__sk_common) : (__u64)sk,
			   readable_task(task));
}

/* Without bpf_sock_from_file (5.11). */
SEC("iter/task_file")
int visit_holder__iter_probe(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct sock *sk;

	if (!file || !task)
		return 0;
	sk = probe_socket_of_file(file);
	if (!sk || !is_tcp(sk))
		return 0;
	return tell_holder(ctx, (__u64)sk, task);
}
