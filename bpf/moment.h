/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 3: a moment of a socket, as the handlers get it: one clock read, one record, the owner already right. */
#ifndef SOCKEYE_BPF_MOMENT_H
#define SOCKEYE_BPF_MOMENT_H

#include "bpf/owner.h"

struct moment {
	struct tcp_sock *tp;
	struct sock_record *record; /* 0 where none could be had */
	__u64 time_ns;              /* CLOCK_BOOTTIME */
	__u64 cookie;
	__u64 duration_ns;          /* set_state: time in old_state; 0: its start was not seen */
	__u8 old_state;             /* set_state: STATE_* */
	__u8 new_state;             /* set_state: STATE_* */
};

/* An id of our own where the kernel gives none: the time of the first sight and the CPU it happened on. */
INLINE __u64 own_cookie(__u64 time_ns)
{
	return 1ull << 63 | (time_ns << 8) >> 1 | (bpf_get_smp_processor_id() & 0x7f);
}

/* A record that was cloned from a listener, or belonged to another socket at this address, starts clean. */
INLINE void adopt_record(struct moment *m, int cloned)
{
	struct sock_record *record = m->record;

	if (!m->cookie)
		m->cookie = record->cookie && !cloned ? record->cookie : own_cookie(m->time_ns);
	if (record->cookie == m->cookie)
		return;
	record->state_since_ns = 0;
	record->role = ROLE_UNKNOWN;
	__builtin_memset(&record->parts, 0, sizeof(record->parts));
	if (!cloned)
		__builtin_memset(&record->owner, 0, sizeof(record->owner));
	record->cookie = m->cookie;
}

INLINE void open_moment(struct moment *m, struct tcp_sock *tp, int create, int cloned)
{
	struct sock *sk = (struct sock *)tp;

	m->tp = tp;
	m->time_ns = bpf_ktime_get_boot_ns();
	m->cookie = socket_cookie(sk);
	m->record = find_record(sk, create);
	if (m->record)
		adopt_record(m, cloned);
}

#endif
