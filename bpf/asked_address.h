/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 1: the address that a process asks connect() for, as it lies in its memory. The socket has another one where a program
 * of its cgroup puts that in its place (BPF_CGROUP_INET4_CONNECT: socket load balancing).
 */
#ifndef SOCKEYE_BPF_ASKED_ADDRESS_H
#define SOCKEYE_BPF_ASKED_ADDRESS_H

#include "bpf/read_sock.h"

/* A struct sockaddr_in or sockaddr_in6, as far as it is of use here. */
struct asked_address {
	__u16 family;
	__be16 port;
	__be32 ipv4; /* IPv6: the flow label */
	__u8 ipv6[16];
	__u32 scope_id; /* IPv6 */
};

/* The process's own: an address of IPv4 may be the last that it can read. */
INLINE void read_users_asked(struct asked_address *asked, const void *address)
{
	if (bpf_probe_read_user(asked, sizeof(*asked), address) && bpf_probe_read_user(asked, 8, address))
		asked->family = 0;
}

/*
 * Of the system call that the current process is in; family 0: it is none that connects, or not known. Workers of io_uring have
 * the registers of the process that they were made for, in whatever call that was.
 */
INLINE void read_asked_of_call(struct asked_address *asked)
{
	struct task_struct *task;
	void *address;

	if (!settings.reads_own_call || !settings.has_current_btf || current_is_kernel_thread())
		return;
	task = bpf_get_current_task_btf();
	if (task->flags & PF_IO_WORKER)
		return;
	address = address_to_connect((struct pt_regs *)bpf_task_pt_regs(task));
	if (address)
		read_users_asked(asked, address);
}

INLINE int is_same_address(const __u8 *left, const __u8 *right)
{
	const __u64 *a = (const __u64 *)left, *b = (const __u64 *)right;

	return a[0] == b[0] && a[1] == b[1];
}

/*
 * What the current process has asked for where its socket is about to connect to something else. Another thread may change the
 * process's memory after the kernel has read it: then it is that.
 */
INLINE void read_asked_end(struct asked_end *end, struct tcp_sock *tp)
{
	struct sock_common *common = &((struct sock *)tp)->__sk_common;
	struct asked_address asked = {};
	struct socket_id id = {};

	end->is_other = 0;
	read_asked_of_call(&asked);
	if (!asked.family || asked.family != common->skc_family)
		return;
	read_addresses(&id, common);
	if (asked.family == AF_INET6)
		__builtin_memcpy(end->address, asked.ipv6, sizeof(end->address));
	else
		map_ipv4(end->address, asked.ipv4);
	end->port = bpf_ntohs(asked.port);
	/* The kernel itself takes the loopback address, or the socket's own, for any. */
	if (is_same_address(end->address, id.raddr) || is_any_address(end->address))
		end->is_other = end->port != remote_port(tp);
	else
		end->is_other = 1;
}

#endif
