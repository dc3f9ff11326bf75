/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 1: from a descriptor, which is all that a system call tells, or an open file to its socket. What is found by probe
 * reads can be read, but is nothing that socket storage could be asked of.
 */
#ifndef SOCKEYE_BPF_FD_TO_SOCK_H
#define SOCKEYE_BPF_FD_TO_SOCK_H

#include "bpf/read_sock.h"

/* 0: the file is no socket. */
INLINE struct sock *socket_of_file(struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);

	return socket ? socket->sk : 0;
}

/* The same without bpf_sock_from_file (5.11), of a file that an iterator visits: the socket is only an address. */
INLINE struct sock *probe_socket_of_file(struct file *file)
{
	struct socket *socket;

	if ((file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	socket = file->private_data;
	return BPF_CORE_READ(socket, sk);
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
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

INLINE int is_tcp(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family), protocol = BPF_CORE_READ(sk, sk_protocol);

	return (family == AF_INET || family == AF_INET6) && BPF_CORE_READ(sk, sk_type) == SOCK_STREAM &&
	       (protocol == IPPROTO_TCP || (protocol == IPPROTO_MPTCP && settings.follows_connections));
}

#endif
