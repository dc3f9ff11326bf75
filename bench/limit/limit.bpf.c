/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The least that a program can do that shows every state change of TCP with the time in the old state: no owner, no
 * container, no role, no namespace, and nothing for events that the kernel skips it for. And one that does nothing, whose time
 * by the kernel's own statistics is that of their clock.
 */
#include "bpf/vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bench/limit/limit.event.h"

#define IPPROTO_TCP 6

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u64 lost = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} since SEC(".maps");

static __always_inline __u64 time_in_state(__u64 socket, int new_state)
{
	__u64 now = bpf_ktime_get_ns(), duration = 0;
	__u64 *from = bpf_map_lookup_elem(&since, &socket);

	if (from)
		duration = now - *from;
	if (new_state == TCP_CLOSE)
		bpf_map_delete_elem(&since, &socket);
	else if (from)
		*from = now;
	else
		bpf_map_update_elem(&since, &socket, &now, BPF_ANY); /* full: the next duration is not known */
	return duration;
}

static __always_inline void fill_addresses(struct limit_event *e, const struct tcp_sock *tp)
{
	const struct inet_sock *inet = &tp->inet_conn.icsk_inet;

	if (inet->sk.__sk_common.skc_family == AF_INET) {
		e->laddr[10] = e->laddr[11] = e->raddr[10] = e->raddr[11] = 0xff;
		*(__be32 *)(e->laddr + 12) = inet->sk.__sk_common.skc_rcv_saddr;
		*(__be32 *)(e->raddr + 12) = inet->sk.__sk_common.skc_daddr;
	} else {
		*(struct in6_addr *)e->laddr = inet->sk.__sk_common.skc_v6_rcv_saddr;
		*(struct in6_addr *)e->raddr = inet->sk.__sk_common.skc_v6_daddr;
	}
	e->lport = bpf_ntohs(inet->inet_sport); /* skc_num is 0 already at LAST_ACK -> CLOSE */
	e->rport = bpf_ntohs(inet->sk.__sk_common.skc_dport);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(limit, struct sock *sk, int old_state, int new_state)
{
	struct limit_event *e;
	struct tcp_sock *tp;
	__u64 duration;

	if (!sk || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	duration = time_in_state((__u64)sk, new_state);
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->socket = (__u64)sk;
	e->duration_ns = duration;
	fill_addresses(e, tp);
	if (bpf_get_current_comm(e->comm, sizeof(e->comm)))
		e->comm[0] = 0;
	e->pid = bpf_get_current_pid_tgid() >> 32;
	e->old_state = old_state;
	e->new_state = new_state;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(empty, struct sock *sk, int old_state, int new_state)
{
	return 0;
}
