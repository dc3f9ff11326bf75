/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The moment accepted: a process has accepted a connection, in its own context. Until it sends or receives (it may hand
 * the socket to somebody else instead) this is what is known of it. As a system call it is learned of with the number of
 * a descriptor alone: there no handler is called, and the record takes its owner at the socket's next event.
 */
#include "bpf/emit.h"
#include "bpf/use.h"
#include "gen/handlers_accepted.h"

INLINE void note_accept(struct sock *listener)
{
	struct sock_record *record = find_record(listener, 0);

	if (record)
		record->last_accept_ns = bpf_ktime_get_boot_ns();
}

INLINE int run_accepted(struct sock *listener, struct sock *child)
{
	struct moment m = {};

	if (child && settings.wants_accept_time)
		note_accept(listener);
	if (child && open_use(&m, child, OWNER_ACCEPT, has_handlers_accepted()))
		handlers_accepted(&m);
	return 0;
}

/* Since 6.10. */
SEC("fexit/inet_csk_accept")
int BPF_PROG(accepted__fexit_2, struct sock *listener, void *arguments, struct sock *child)
{
	return run_accepted(listener, child);
}

SEC("fexit/inet_csk_accept")
int BPF_PROG(accepted__fexit_4, struct sock *listener, int flags, int *error, int kernel, struct sock *child)
{
	return run_accepted(listener, child);
}

/* What the current process has open as `fd`, if that is a socket; else 0. */
INLINE struct sock *socket_of_descriptor(__u64 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd);
	struct socket *socket;
	struct file *file = 0;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	if (bpf_probe_read_kernel(&file, sizeof(file), &files[fd]) || !file)
		return 0;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & FILE_TYPE_MASK) != FILE_TYPE_SOCKET)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

INLINE int is_tcp(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family), protocol = BPF_CORE_READ(sk, sk_protocol);

	return (family == FAMILY_IPV4 || family == FAMILY_IPV6) &&
	       (protocol == TCP_PROTOCOL || (protocol == MPTCP_PROTOCOL && settings.follows_connections));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(accepted__sys_exit, struct pt_regs *regs, long fd)
{
	struct sock *child;
	__u64 cookie;

	if (fd < 0 || !is_accept_call(regs))
		return 0;
	child = socket_of_descriptor(fd);
	if (!child || !is_tcp(child))
		return 0;
	if (settings.learns_accepts) {
		cookie = BPF_CORE_READ(child, __sk_common.skc_cookie.counter);
		if (cookie)
			current_owns(cookie, OWNER_ACCEPT);
	} else {
		__u64 address = (__u64)child;
		struct sock_record *record = bpf_map_lookup_elem(&record_by_address, &address);

		if (record && record->owner.source == OWNER_INHERITED) {
			read_current(&record->owner, OWNER_ACCEPT);
			record_changed(record);
		}
	}
	return 0;
}
