/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook visit_namespace: a visit to every open file of every process, when user space reads the iterator. It tells
 * which network namespaces sockets are in, and of open files of namespaces: nothing else may lead there.
 */
#include "bpf/fd_to_sock.h"
#include "src/bpf/namespace_holder.h"

#define NSFS_MAGIC 0x6e736673 /* <linux/magic.h> */

INLINE void tell_namespace_holder(struct bpf_iter__task_file *ctx, struct task_struct *task, __u32 netns, __u32 by)
{
	struct namespace_holder holder = { .netns = netns, .fd = ctx->fd, .by = by };

	holder.pid = task->tgid;
	holder.tid = task->pid;
	if (holder.netns)
		bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder));
}

/* One of the pid or mount namespace comes by, too: what kind it is only its descriptor tells on all kernels. */
INLINE void tell_if_namespace(struct bpf_iter__task_file *ctx, struct task_struct *task, struct file *file)
{
	struct inode *inode = file->f_inode;

	if (inode->i_sb->s_magic == NSFS_MAGIC)
		tell_namespace_holder(ctx, task, inode->i_ino, HELD_BY_DESCRIPTOR);
}

SEC("iter/task_file")
int visit_namespace__iter(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct sock *sk;

	if (!file || !task)
		return 0;
	task = readable_task(task);
	sk = socket_of_file(file);
	if (sk)
		tell_namespace_holder(ctx, task, readable_socket(&sk->__sk_common)->skc_net.net->ns.inum,
				      HELD_BY_SOCKET);
	else
		tell_if_namespace(ctx, task, file);
	return 0;
}

/* Without bpf_sock_from_file (5.11). */
SEC("iter/task_file")
int visit_namespace__iter_probe(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct sock *sk;

	if (!file || !task)
		return 0;
	sk = probe_socket_of_file(file);
	if (sk)
		tell_namespace_holder(ctx, task, BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum), HELD_BY_SOCKET);
	else
		tell_if_namespace(ctx, task, file);
	return 0;
}
