/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment tick_file: a visit to every open file of every process, when user space reads the iterator. At start it
 * gives the sockets that were there before an owner: of several holders the first visited (the lowest pid).
 */
#include "bpf/datagram.h"
#include "bpf/emit.h"
#include "bpf/owner_by_cookie.h"
#include "gen/handlers_tick_file.h"

/* Of a UDP socket: the first met of several. */
INLINE void datagram_held(struct sock *sk, struct task_struct *task)
{
	struct owner *owner = datagram_owner(sk, 1);

	if (owner && owner->source == OWNER_UNKNOWN)
		read_owner(owner, task, OWNER_SNAPSHOT);
}

/* The moment has no time: nothing happens to the socket. */
INLINE void snapshot_owner(struct sock *sk, struct task_struct *task)
{
	struct moment m = {};

	if (sk->sk_protocol == UDP_PROTOCOL) {
		datagram_held(sk, task);
		return;
	}
	/* One that has neither connected nor listened yet gets its owner when it does. */
	if (sk->__sk_common.skc_state == STATE_CLOSE)
		return;
	if (sk->sk_protocol != TCP_PROTOCOL) {
		if (sk->sk_protocol == MPTCP_PROTOCOL)
			connection_held(sk, task);
		return;
	}
	m.sk = sk;
	m.tp = bpf_skc_to_tcp_sock(sk);
	if (!m.tp)
		return;
	m.cookie = socket_cookie(&sk->__sk_common);
	m.record = find_record(sk, 1);
	if (!m.record)
		return;
	adopt_record(&m, 0);
	if (m.record->owner.source != OWNER_UNKNOWN)
		return;
	read_owner(&m.record->owner, task, OWNER_SNAPSHOT);
	if (sk->__sk_common.skc_state == STATE_LISTEN) {
		m.record->role = ROLE_LISTENER;
		remember_listener(sk, m.tp, m.record);
	}
	record_changed(m.record);
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
		snapshot_owner(socket->sk, readable_task(task));
	return 0;
}

/*
 * Without bpf_sock_from_file (5.11) the socket is only an address: its record is there if tick_socket has met it.
 */
INLINE void snapshot_owner_by_address(__u64 address, struct task_struct *task)
{
	struct sock *sk = (void *)address;
	struct sock_record *record = find_record(sk, 0);
	struct inet_sock *inet = (void *)address;
	struct listened_key key = {};

	if (!record || record->owner.source != OWNER_UNKNOWN)
		return;
	read_owner(&record->owner, task, OWNER_SNAPSHOT);
	record_changed(record);
	counters.snapshot_owned++;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) != STATE_LISTEN)
		return;
	key.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	key.port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	record->is_by_port = remember_by_port(&key, &record->owner);
	if (!record->is_by_port)
		count_lost(LOST_RECORD_ALLOC);
}

SEC("iter/task_file")
int tick_file__iter_probe(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct socket *socket;

	if (!file || !task || (file->f_inode->i_mode & FILE_TYPE_MASK) != FILE_TYPE_SOCKET)
		return 0;
	socket = file->private_data;
	snapshot_owner_by_address((__u64)BPF_CORE_READ(socket, sk), task);
	return 0;
}
