/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook visit_file: a visit to every open file of every process, when user space reads the iterator. At start it
 * gives the sockets that were there before an owner: of several holders the first visited (the lowest pid). Later it looks for
 * one where an owner has ended, and its socket has not.
 */
#include "bpf/datagram.h"
#include "bpf/fd_to_sock.h"
#include "bpf/emit.h"
#include "bpf/owner_by_cookie.h"
#include "gen/handlers_visit_file.h"

/* Of a UDP socket: the first met of several. */
INLINE void datagram_held(struct sock *sk, struct task_struct *task)
{
	struct guarded_owner *whose = datagram_owner(sk, 1);
	struct owner *place;

	if (!whose ||
	    (shown_owner(whose)->source != OWNER_UNKNOWN && whereabouts_of(shown_owner(whose)) != OWNER_HAS_LEFT))
		return;
	place = begin_owner(whose);
	if (!place)
		return;
	read_owner(place, task, OWNER_SNAPSHOT);
	note_owning_process(place, 0);
	end_owner(whose);
}

/* Whether the entry has been given an owner: it had none, or one that is gone. */
INLINE int is_given_to(struct sock_entry *entry, struct task_struct *task)
{
	forget_departed_owner(entry, 1);
	if (entry->departures_seen != departures_until_now())
		__sync_fetch_and_add(&counters.heirs_wanted, 1); /* it is ending just now: to be visited again */
	if (shown_owner(&entry->whose)->source != OWNER_UNKNOWN || task->flags & PF_EXITING)
		return 0;
	set_owner(entry, task, OWNER_SNAPSHOT);
	counters.snapshot_owned++;
	return 1;
}

/* The hook has no time: nothing happens to the socket. */
INLINE void snapshot_owner(struct sock *sk, struct task_struct *task)
{
	struct hook_call call = {};

	if (is_udp_socket(sk)) {
		datagram_held(sk, task);
		return;
	}
	/* One that has neither connected nor listened yet gets its owner when it does. */
	if (sk->__sk_common.skc_state == TCP_CLOSE)
		return;
	if (!is_tcp_socket(sk)) {
		if (is_mptcp_connection(sk))
			connection_held(sk, task);
		return;
	}
	call.sk = sk;
	call.tp = bpf_skc_to_tcp_sock(sk);
	if (!call.tp)
		return;
	call.cookie = socket_cookie(&sk->__sk_common);
	call.entry = find_entry(sk, ENTRY_CREATE);
	if (!call.entry)
		return;
	adopt_entry(&call, 0);
	settle_role(&call, sk->__sk_common.skc_state, 0);
	if (sk->__sk_common.skc_state == TCP_LISTEN)
		call.entry->role = ROLE_LISTENER;
	if (!is_given_to(call.entry, task))
		return;
	if (sk->__sk_common.skc_state == TCP_LISTEN) {
		if (call.entry->children_by != CHILDREN_BY_NOTHING) { /* it has been met before, and has a new owner */
			if (call.entry->shares_end)
				stop_sharing(sk, call.tp, call.entry);
			return;
		}
		remember_listener(sk, call.tp, call.entry);
	}
	handlers_visit_file(&call);
}

SEC("iter/task_file")
int visit_file__iter(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct sock *sk;

	if (!file || !task)
		return 0;
	sk = socket_of_file(file);
	if (sk)
		snapshot_owner(sk, readable_task(task));
	return 0;
}

/* read_listened_end() of a listener that is only an address. */
INLINE void probe_listened_end(struct listened_end *end, struct inet_sock *inet)
{
	end->family = (__u8)BPF_CORE_READ(inet, sk.__sk_common.skc_family);
	end->netns = BPF_CORE_READ(inet, sk.__sk_common.skc_net.net, ns.inum);
	end->port = BPF_CORE_READ(inet, sk.__sk_common.skc_num);
	if (end->family == AF_INET6)
		BPF_CORE_READ_INTO(&end->laddr, inet, sk.__sk_common.skc_v6_rcv_saddr);
	else
		map_ipv4(end->laddr, BPF_CORE_READ(inet, sk.__sk_common.skc_rcv_saddr));
	call_any_zero(end);
}

/*
 * Without bpf_sock_from_file (5.11) the socket is only an address: its entry is there if visit_socket has met it.
 */
INLINE void snapshot_owner_by_address(__u64 address, struct task_struct *task)
{
	struct sock *sk = (void *)address;
	struct sock_entry *entry = find_entry(sk, ENTRY_FIND);
	struct listener_ref ref = { .address = address };
	struct listened_end end = {};

	if (!entry || !is_given_to(entry, task))
		return;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN)
		return;
	ref.cookie = entry->cookie;
	probe_listened_end(&end, (void *)address);
	if (find_children_by_end(&end, &ref, entry))
		entry->children_by = CHILDREN_BY_END;
	else
		__sync_fetch_and_add(&counters.listeners_left_out, 1);
}

SEC("iter/task_file")
int visit_file__iter_probe(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct sock *sk;

	if (!file || !task)
		return 0;
	sk = probe_socket_of_file(file);
	if (sk)
		snapshot_owner_by_address((__u64)sk, task);
	return 0;
}
