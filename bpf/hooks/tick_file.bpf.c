/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment tick_file: a visit to every open file of every process, when user space reads the iterator. At start it
 * gives the sockets that were there before an owner: of several holders the first visited (the lowest pid).
 */
#include "bpf/emit.h"
#include "gen/handlers_tick_file.h"

INLINE void snapshot_owner(struct sock *sk, struct task_struct *task)
{
	struct moment m = {};
	struct tcp_sock *tp;

	if (sk->sk_protocol != TCP_PROTOCOL)
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	open_moment(&m, tp, 1, 0);
	if (!m.record || m.record->owner.source != OWNER_UNKNOWN)
		return;
	read_owner(&m.record->owner, task, OWNER_SNAPSHOT);
	if (sk->__sk_common.skc_state == STATE_LISTEN) {
		m.record->role = ROLE_LISTENER;
		remember_listener(m.record, tp);
	}
	counters.snapshot_owned++;
	handlers_tick_file(&m);
}

SEC("iter/task_file")
int tick_file__iter(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct socket *socket;

	if (!file || !task)
		return 0;
	socket = bpf_sock_from_file(file);
	if (socket && socket->sk)
		snapshot_owner(socket->sk, task);
	return 0;
}
