/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 1: what differs between kernels, each with the kernel that changed it. Chosen by BTF, never by version. */
#ifndef SOCKEYE_BPF_COMPAT_H
#define SOCKEYE_BPF_COMPAT_H

#include "bpf/base.h"
#include "bpf/errno.h"

/* Until 5.12 net.net_cookie was an atomic64_t, set at the first request for it; now it is a u64, set from the start. */
struct net___until_5_12 {
	atomic64_t net_cookie;
} __attribute__((preserve_access_index));

INLINE __u64 netns_cookie(struct net *net)
{
	struct net___until_5_12 *old = (void *)net;

	if (bpf_core_field_exists(old->net_cookie.counter))
		return old->net_cookie.counter;
	return net->net_cookie;
}

/*
 * Since 6.17 a socket has the inode number that `ss` shows in itself, until then only through its file, which a socket
 * of the kernel's own lacks. 0: no process can name it (not accepted yet, or orphaned).
 */
struct sock___from_6_17 {
	unsigned long sk_ino;
} __attribute__((preserve_access_index));

INLINE __u64 socket_inode(struct sock *sk)
{
	struct sock___from_6_17 *new = (void *)sk;
	struct socket *socket;
	struct inode *inode;
	struct file *file;

	if (bpf_core_field_exists(new->sk_ino))
		return new->sk_ino;
	socket = sk->sk_socket;
	if (!socket)
		return 0;
	file = socket->file;
	if (!file)
		return 0;
	inode = file->f_inode;
	return inode ? inode->i_ino : 0;
}

/* tcp_sock.is_mptcp came with 5.6, and is there only where MPTCP is configured. */
INLINE __u8 is_mptcp_subflow(struct tcp_sock *tp)
{
	if (bpf_core_field_exists(tp->is_mptcp))
		return BPF_CORE_READ_BITFIELD(tp, is_mptcp);
	return 0;
}

/*
 * A pointer that is only read through. Since 6.2 the verifier asks of each pointer that is loaded through a trusted one
 * whether it is trusted, too, by three searches through all types of the kernel: a program that follows ten of them took
 * 8 ms to load, and 0.5 ms through a pointer that nobody has to trust.
 */
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

INLINE struct task_struct *readable_task(struct task_struct *task)
{
	return settings.task_type ? bpf_rdonly_cast(task, settings.task_type) : task;
}

/* Of a full socket of protocol IPPROTO_TCP. bpf_skc_to_tcp_sock() costs a call, and every read through it a check. */
INLINE struct tcp_sock *readable_tcp(struct sock *sk)
{
	return settings.tcp_sock_type ? bpf_rdonly_cast(sk, settings.tcp_sock_type) : bpf_skc_to_tcp_sock(sk);
}

INLINE struct sock_common *readable_socket(struct sock_common *common)
{
	return settings.sock_common_type ? bpf_rdonly_cast(common, settings.sock_common_type) : common;
}

/*
 * Whether a pointer that was read leads somewhere: addresses of the kernel are negative. To be asked before following one
 * that may be null, or shares its place with something else: until 5.12 a read through it is a page fault, and where the
 * program has subprograms (filters) 5.10 looks for the table of what to do then in the wrong place, and panics. The asm
 * keeps the compiler from asking only once, as the verifier wants to see that it is not null.
 */
INLINE int is_address(const void *pointer)
{
	__s64 address;

	__asm__("%0 = %1" : "=r"(address) : "r"(pointer));
	if (address < 0)
		return 1;
	return 0;
}

/* Until 6.5 a bit field of its own, since then one of inet_flags. */
struct inet_sock___until_6_5 {
	__u8 transparent : 1;
} __attribute__((preserve_access_index));

#define INET_FLAGS_TRANSPARENT 15 /* of an enum without a name in <net/inet_sock.h> */

INLINE int is_transparent(struct tcp_sock *tp)
{
	struct inet_sock___until_6_5 *old = (void *)&tp->inet_conn.icsk_inet;

	if (bpf_core_field_exists(old->transparent))
		return BPF_CORE_READ_BITFIELD(old, transparent);
	return tp->inet_conn.icsk_inet.inet_flags >> INET_FLAGS_TRANSPARENT & 1;
}

/*
 * 1: while a process holds the lock of its socket (sk_lock.owned) another CPU has the spinlock below it, and puts a packet
 * aside for it. On PREEMPT_RT, where that is a mutex, it is not told.
 */
INLINE __u32 is_packet_coming(struct sock *sk)
{
	if (!bpf_core_field_exists(sk->sk_lock.slock.rlock.raw_lock.locked))
		return 0;
	return sk->sk_lock.slock.rlock.raw_lock.locked != 0;
}

/* Since 5.15 iter/tcp has the lock of the socket that it visits; the struct came with that. */
struct bpf_tcp_iter_state {
};

INLINE int iterator_holds_lock(void)
{
	return bpf_core_type_exists(struct bpf_tcp_iter_state);
}

INLINE int has_sk_lookup(struct net *net)
{
	return net->bpf.run_array[NETNS_BPF_SK_LOOKUP] != 0;
}

/* From 5.18 to 6.0 a namespace's table of minisockets lay outside of it. */
struct netns_ipv4___until_6_0 {
	struct inet_timewait_death_row *tcp_death_row;
} __attribute__((preserve_access_index));

struct net___until_6_0 {
	struct netns_ipv4___until_6_0 ipv4;
} __attribute__((preserve_access_index));

/* Until 5.17 it counted them in tw_count; tw_refcount is one more. */
struct inet_timewait_death_row___until_5_17 {
	atomic_t tw_count;
} __attribute__((preserve_access_index));

/* The condition of inet_twsk_alloc(): no more TIME_WAIT and FIN_WAIT2 minisockets (net.ipv4.tcp_max_tw_buckets). */
INLINE int time_wait_table_is_full(struct net *net)
{
	struct net___until_6_0 *outside = (void *)net;
	struct inet_timewait_death_row___until_5_17 *old;
	struct inet_timewait_death_row *table;

	if (bpf_core_field_exists(outside->ipv4.tcp_death_row))
		table = outside->ipv4.tcp_death_row;
	else
		table = &net->ipv4.tcp_death_row;
	old = (void *)table;
	if (bpf_core_field_exists(old->tw_count))
		return old->tw_count.counter >= table->sysctl_max_tw_buckets;
	return table->tw_refcount.refs.counter - 1 >= table->sysctl_max_tw_buckets;
}

/*
 * Whether the timer that is pending is the one that runs (tcp_write_timer_handler()). Without icsk_timeout,
 * which is gone by 6.18, it is taken for that.
 */
INLINE int timer_has_run_off(struct tcp_sock *tp)
{
	struct inet_connection_sock *connection = &tp->inet_conn;

	if (!bpf_core_field_exists(connection->icsk_timeout))
		return 1;
	return (__s64)(connection->icsk_timeout - bpf_jiffies64()) <= 0;
}

/* The number and the arguments of the system call that regs belong to: each architecture keeps them in places of its own. */
struct pt_regs___x86 {
	unsigned long orig_ax;
	unsigned long ax;
	unsigned long di;
	unsigned long si;
	unsigned long r8;
} __attribute__((preserve_access_index));

struct pt_regs___arm64 {
	unsigned long regs[31];
	unsigned long orig_x0;
	int syscallno;
} __attribute__((preserve_access_index));

INLINE int is_accept_call(struct pt_regs *regs)
{
	struct pt_regs___x86 *x86 = (void *)regs;
	struct pt_regs___arm64 *arm64 = (void *)regs;

	if (bpf_core_field_exists(x86->orig_ax))
		return x86->orig_ax == 43 || x86->orig_ax == 288; /* accept, accept4 of <asm/unistd_64.h> */
	if (bpf_core_field_exists(arm64->syscallno))
		return arm64->syscallno == 202 || arm64->syscallno == 242; /* of <asm-generic/unistd.h> */
	return 0;
}

/* read(), pread64() or readv(). */
INLINE int is_read_call(struct pt_regs *regs)
{
	struct pt_regs___x86 *x86 = (void *)regs;
	struct pt_regs___arm64 *arm64 = (void *)regs;

	if (bpf_core_field_exists(x86->orig_ax))
		return x86->orig_ax == 0 || x86->orig_ax == 17 || x86->orig_ax == 19; /* <asm/unistd_64.h> */
	if (bpf_core_field_exists(arm64->syscallno))
		return arm64->syscallno == 63 || arm64->syscallno == 67 ||
		       arm64->syscallno == 65; /* <asm-generic/unistd.h> */
	return 0;
}

struct connect_call {
	__u64 descriptor;
	void *address; /* of the process */
};

/* Whether it is connect(), and with what. */
INLINE int read_connect_call(struct connect_call *call, struct pt_regs *regs)
{
	struct pt_regs___x86 *x86 = (void *)regs;
	struct pt_regs___arm64 *arm64 = (void *)regs;

	if (bpf_core_field_exists(x86->orig_ax)) {
		call->descriptor = x86->di;
		call->address = (void *)x86->si;
		return x86->orig_ax == 42; /* connect of <asm/unistd_64.h> */
	}
	if (bpf_core_field_exists(arm64->syscallno)) {
		call->descriptor = arm64->orig_x0;
		call->address = (void *)arm64->regs[1];
		return arm64->syscallno == 203; /* of <asm-generic/unistd.h> */
	}
	return 0;
}

/* msg_name, the first member of the struct user_msghdr that lies there; 0: it cannot be read. */
INLINE void *name_of_message(unsigned long message)
{
	void *name = 0;

	if (bpf_probe_read_user(&name, sizeof(name), (void *)message))
		return 0;
	return name;
}

/*
 * Where the process has put the address that its system call connects to; 0: it is no such call, or that one is over, and what
 * io_uring has left for its end is at work. Of those that send, one that connects has MSG_FASTOPEN.
 */
INLINE void *address_to_connect(struct pt_regs *regs)
{
	struct pt_regs___x86 *x86 = (void *)regs;
	struct pt_regs___arm64 *arm64 = (void *)regs;

	if (bpf_core_field_exists(x86->orig_ax)) {     /* of <asm/unistd_64.h>: connect, sendto, sendmsg */
		if (x86->ax != (unsigned long)-ENOSYS) /* which entry_SYSCALL_64 puts there */
			return 0;
		if (x86->orig_ax == 42)
			return (void *)x86->si;
		if (x86->orig_ax == 44)
			return (void *)x86->r8;
		return x86->orig_ax == 46 ? name_of_message(x86->si) : 0;
	}
	if (bpf_core_field_exists(arm64->syscallno)) { /* of <asm-generic/unistd.h> */
		if (arm64->regs[0] != arm64->orig_x0)  /* the result, in the place of the first argument */
			return 0;
		if (arm64->syscallno == 203)
			return (void *)arm64->regs[1];
		if (arm64->syscallno == 206)
			return (void *)arm64->regs[4];
		return arm64->syscallno == 211 ? name_of_message(arm64->regs[1]) : 0;
	}
	return 0;
}

/* 5.10 has no bpf_get_current_task_btf (5.11): there the current task is a number that only probe reads can follow. */
INLINE struct task_struct *current_task(void)
{
	return settings.has_current_btf ? readable_task(bpf_get_current_task_btf()) : 0;
}

/* Whether the current task is a kernel thread; a task that cannot be read is taken for a process. */
INLINE int current_is_kernel_thread(void)
{
	struct task_struct *task = current_task();

	if (task)
		return (task->flags & PF_KTHREAD) != 0;
	if (settings.may_probe_read)
		return (BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), flags) & PF_KTHREAD) != 0;
	return 0;
}

/*
 * Whether a socket that the current process closes just now is none of its own: who reads a BPF iterator over open files, or a message
 * that others came with, lets go of them, and may be the last to do so.
 */
INLINE int current_only_reads(void)
{
	if (!settings.has_task_regs || current_is_kernel_thread())
		return 0;
	return is_read_call((struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf()));
}

#endif
