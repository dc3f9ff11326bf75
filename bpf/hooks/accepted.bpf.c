/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook accepted: a process has accepted a connection, in its own context. Until it sends or receives (it may hand
 * the socket to somebody else instead) this is what is known of it. As a system call it is learned of with the number of
 * a descriptor alone: there no handler is called, and the entry takes its owner at the socket's next event.
 */
#include "bpf/emit.h"
#include "bpf/fd_to_sock.h"
#include "bpf/use.h"
#include "gen/handlers_accepted.h"

INLINE void run_accept_from(struct sock *listener)
{
	struct sock_entry *entry = find_entry(listener, ENTRY_FIND);
	struct tcp_sock *tp = readable_tcp(listener);

	if (!entry || !tp)
		return;
	if (settings.wants_accept_time)
		entry->last_accept_ns = bpf_ktime_get_boot_ns();
	if (is_accepted_from_by_another(entry)) {
		owner_acts(entry, tp, OWNER_ACCEPT);
		if (entry->shares_end)
			stop_sharing(listener, tp, entry);
	}
	if (entry->children_by == CHILDREN_BY_NOTHING)
		remember_listener(listener, tp, entry); /* by now it has a port */
}

INLINE int run_accepted(struct sock *listener, struct sock *child)
{
	struct hook_call call = {};

	if (!child)
		return 0;
	run_accept_from(listener);
	if (open_use(&call, child, OWNER_ACCEPT))
		handlers_accepted(&call);
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

/*
 * accept() that asks for the peer's address, as most servers do, and getpeername(): do_accept() calls getname() of the
 * child, which runs these programs, in the process. Called by whoever, on whatever socket: what counts is a child that
 * nobody had before. Costs nothing but where it is called.
 */
INLINE int run_getpeername(struct bpf_sock_addr *ctx)
{
	struct sock_entry *listener;
	struct hook_call call = {};

	if (!ctx->sk)
		return 1;
	call.tp = bpf_skc_to_tcp_sock(ctx->sk);
	if (!call.tp)
		return 1;
	call.sk = (struct sock *)call.tp;
	call.entry = find_entry(call.sk, ENTRY_FIND);
	if (!call.entry || !awaits_owner(call.entry))
		return 1;
	call.cookie = call.entry->cookie; /* these programs can ask for that of their context alone */
	listener = parent_of(call.sk, call.tp);
	if (listener)
		parent_is_accepted_from(listener, call.tp);
	owner_touches(call.entry, call.tp, OWNER_ACCEPT);
	handlers_accepted(&call);
	return 1; /* the address is left alone */
}

SEC("cgroup/getpeername4")
int accepted__getpeername(struct bpf_sock_addr *ctx)
{
	return run_getpeername(ctx);
}

SEC("cgroup/getpeername6")
int accepted__getpeername__ipv6(struct bpf_sock_addr *ctx)
{
	return run_getpeername(ctx);
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
		struct sock_entry *entry = find_entry(child, ENTRY_FIND);

		if (entry && awaits_owner(entry))
			set_owner(entry, 0, OWNER_ACCEPT);
	}
	return 0;
}
