/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 2: whose socket it is. The only place that decides it, for every hook and every collector. */
#ifndef SOCKEYE_BPF_OWNER_H
#define SOCKEYE_BPF_OWNER_H

#include "bpf/last_use.h"
#include "bpf/owning_process.h"
#include "bpf/listener_owner.h"
#include "bpf/read_task.h"

INLINE void read_current(struct owner *owner, __u8 source)
{
	struct task_struct *task = current_task();

	if (task)
		read_owner(owner, task, source);
	else
		probe_owner(owner, source);
}

INLINE __u32 departures_until_now(void)
{
	return *(volatile __u32 *)&departures;
}

/*
 * The entry has another owner now. That the one before used the socket last is forgotten when the entry says the new one: a
 * use of the former that comes in between notes itself and looks again (owner_used_it()).
 */
INLINE void owner_changed(struct sock_entry *entry)
{
	end_owner(&entry->whose);
	forget_last_use(entry->cookie);
	entry_changed(entry);
}

/* It is the owner from now on, as was learned elsewhere: its process may be gone by now. */
INLINE void hand_over(struct sock_entry *entry, const struct owner *owner)
{
	struct owner *place = begin_owner(&entry->whose);

	if (!place)
		return;
	*place = *owner;
	entry->departures_seen = ~departures_until_now();
	owner_changed(entry);
}

/* A process that is there has it from now on: the current one (`task` 0), or one that is visited. */
INLINE void set_owner(struct sock_entry *entry, struct task_struct *task, __u8 source)
{
	__u32 seen = departures_until_now();
	struct owner *place = begin_owner(&entry->whose);

	if (!place)
		return;
	if (task)
		read_owner(place, task, source);
	else
		read_current(place, source);
	entry->departures_seen = seen;
	note_owning_process(place, entry->role == ROLE_LISTENER);
	owner_changed(entry);
}

INLINE void set_no_process(struct sock_entry *entry, __u8 source)
{
	struct owner *place = begin_owner(&entry->whose);

	if (!place)
		return;
	__builtin_memset(place, 0, sizeof(*place));
	place->source = source;
	owner_changed(entry);
}

/*
 * The current process has the socket in its hands, unless the socket is the kernel's own: then it only happens to be the
 * one that mounts, or whose read or write goes to the server. A kernel thread that has a process's socket (NBD) leaves
 * no process to name.
 */
INLINE void owner_acts(struct sock_entry *entry, struct tcp_sock *tp, __u8 source)
{
	int kernels = is_kernel_socket(tp);

	if (!kernels && !current_is_kernel_thread())
		set_owner(entry, 0, source);
	else if (kernels || shown_owner(&entry->whose)->source == OWNER_UNKNOWN || source == OWNER_CONNECT ||
		 source == OWNER_LISTEN)
		set_no_process(entry, OWNER_KERNEL);
}

/* Whether the current process is known as the owner already, by as good a proof: use is a better one than accept. */
INLINE int is_known_owner(struct owner *owner, __u8 source)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	return owner->pid == pid && owner->source != OWNER_INHERITED &&
	       (owner->source != OWNER_ACCEPT || source == OWNER_ACCEPT);
}

/* A process accepts, sends or receives. It becomes the owner unless it already is. */
INLINE void owner_touches(struct sock_entry *entry, struct tcp_sock *tp, __u8 source)
{
	if (!is_known_owner(shown_owner(&entry->whose), source))
		owner_acts(entry, tp, source);
}

/* The same of a process that shuts down or closes. */
INLINE void owner_ends(struct sock_entry *entry, struct tcp_sock *tp)
{
	if (!is_known_owner(shown_owner(&entry->whose), OWNER_USE) && !current_only_reads())
		owner_acts(entry, tp, OWNER_USE);
}

/* Until one of those that hold the socket uses it, or user space has looked who does. */
INLINE void nobody_owns(struct sock_entry *entry)
{
	set_no_process(entry, OWNER_UNKNOWN);
	__sync_fetch_and_add(&counters.heirs_wanted, 1);
}

/*
 * An owner that has ended is none while others hold the socket: nobody is named until one of them uses it, or user space
 * has looked who holds it (take_snapshot()). `is_held`: what a process left behind for the kernel to end stays its own.
 */
INLINE void forget_departed_owner(struct sock_entry *entry, int is_held)
{
	__u32 seen = departures_until_now();
	int where;

	if (entry->departures_seen == seen || !is_held)
		return;
	where = whereabouts_of(shown_owner(&entry->whose));
	if (where == OWNER_IS_ENDING)
		return;
	if (where == OWNER_HAS_LEFT)
		nobody_owns(entry);
	entry->departures_seen = seen;
}

/* Whether a process holds it; a subflow of MPTCP is held as long as the connection above it. */
INLINE int is_held(struct tcp_sock *tp)
{
	unsigned long flags = tp->inet_conn.icsk_inet.sk.__sk_common.skc_flags;

	if (settings.follows_connections && is_mptcp_subflow(tp)) {
		struct mptcp_subflow_context *subflow = tp->inet_conn.icsk_ulp_data;

		flags = BPF_CORE_READ(subflow, conn, __sk_common.skc_flags);
	}
	return !(flags & (1 << SOCK_DEAD));
}

/* The same of a TCP socket that is only known as a socket. Without casts of pointers a subflow is asked itself. */
INLINE int is_socket_held(struct sock_common *common)
{
	if (settings.tcp_sock_type)
		return is_held(bpf_rdonly_cast(common, settings.tcp_sock_type));
	return !(common->skc_flags & (1 << SOCK_DEAD));
}

/* The owner of a listener's child, until a process has it. */
INLINE void copy_parent_owner(struct owner *to, struct sock_entry *parent)
{
	forget_departed_owner(parent, 1);
	copy_owner(to, &parent->whose);
	if (to->source != OWNER_UNKNOWN && to->source != OWNER_KERNEL)
		to->source = OWNER_INHERITED;
}

/* A child comes out of its listener. Nobody knows it yet. */
INLINE void owner_inherited(struct sock_entry *entry, struct sock_entry *parent)
{
	struct owner *place = parent ? begin_owner(&entry->whose) : 0;

	if (place) {
		copy_parent_owner(place, parent);
		entry->departures_seen = parent->departures_seen;
		end_owner(&entry->whose);
	}
	entry_changed(entry);
}

/* The current process is a child of the owner, and the same program: it works for it. */
INLINE int is_worker_of(struct owner *owner)
{
	struct task_struct *task = current_task(), *leader;
	__u64 comm[2];

	if (!task)
		return 0;
	leader = task->group_leader;
	copy_comm((char *)comm, leader->comm);
	return (__u32)leader->real_parent->tgid == owner->pid && comm[0] == ((__u64 *)owner->comm)[0] &&
	       comm[1] == ((__u64 *)owner->comm)[1];
}

/*
 * Who accepts from a listener owns it: since listen() it may have been handed on (systemd's sockets, a server that becomes a
 * daemon or is replaced), and who called that may be gone. Where workers accept, it is their parent's.
 */
INLINE int is_accepted_from_by_another(struct sock_entry *listener)
{
	struct owner *owner;

	forget_departed_owner(listener, 1);
	owner = shown_owner(&listener->whose);
	return !is_known_owner(owner, OWNER_ACCEPT) && !is_worker_of(owner);
}

/*
 * The same of the listener that a child was found to come out of. Where several share their end it may be another of these: user
 * space looks who holds each.
 */
INLINE void parent_is_accepted_from(struct sock_entry *listener, struct tcp_sock *tp)
{
	if (!is_accepted_from_by_another(listener))
		return;
	if (!listener->shares_end)
		owner_acts(listener, tp, OWNER_ACCEPT);
	else if (shown_owner(&listener->whose)->source != OWNER_UNKNOWN)
		nobody_owns(listener);
}

/* Of a child that nobody has had yet. */
INLINE int awaits_owner(struct sock_entry *entry)
{
	__u8 source = shown_owner(&entry->whose)->source;

	return source == OWNER_INHERITED || (source == OWNER_UNKNOWN && entry->role == ROLE_SERVER);
}

#endif
