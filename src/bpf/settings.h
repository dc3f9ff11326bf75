/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What user space tells the kernel side before it is loaded (read-only data: what is 0 here is dead code to the
 * verifier), and what the kernel side counts for user space (zero-initialised data, mapped into user space).
 */
#ifndef SOCKEYE_BPF_SETTINGS_H
#define SOCKEYE_BPF_SETTINGS_H

#include "event/wire.h"

/* Where a part of the socket entry begins that the run has no room for: no verifier lets a program look there. */
#define NO_PART 65536

struct kernel_settings {
	__u32 ring_wake_bytes;   /* wake the reader when this much waits in the ring; below it nobody is woken */
	__u32 task_type;         /* type id of struct task_struct where kfunc bpf_rdonly_cast exists (6.2), else 0 */
	__u32 sock_common_type;  /* the same of struct sock_common */
	__u32 tcp_sock_type;     /* the same of struct tcp_sock */
	__u32 in6_addr_type;     /* the same of struct in6_addr: sixteen bytes of anything */
	__u8 has_socket_storage; /* tracing programs may make socket storage (5.11, not on PREEMPT_RT) */
	__u8 has_socket_cookie;  /* tracing programs may ask for the socket cookie (5.12) */
	__u8 has_current_btf;    /* bpf_get_current_task_btf exists (5.11) */
	__u8 has_sock_from_file; /* bpf_sock_from_file exists (5.11) */
	__u8 has_task_regs;      /* bpf_task_pt_regs exists (5.15) */
	__u8 may_probe_read;     /* bpf_probe_read_kernel is allowed (not under lockdown=confidentiality) */
	__u8 has_cgroup_v1;      /* a v1 memory hierarchy is mounted: asked where a process is in the root of v2 */
	__u8 wants_entries;      /* somebody wants an entry of each socket, its cookie, and the time of each call */
	__u8 wants_groups;       /* visits for counting (visit_state) tell what sockets are grouped by */
	__u8 wants_afterlife; /* the owners of minisockets are remembered (bpf/minisocket_owner.h); implies wants_entries */
	/* Owners that are learned where the socket's entry is out of reach are kept by cookie: */
	__u8 follows_connections; /* of MPTCP connections: there may be some, and probe reads lead from a subflow to its own */
	__u8 learns_accepts;    /* of accepted sockets: accept() is seen as a system call */
	__u8 follows_datagrams; /* owners of UDP sockets are learned, too */
	__u8 wants_accept_time; /* of a listener: when a connection was last accepted */
	__u8 watches_listeners; /* bpf/listeners.h */
	__u8 names_functions;   /* bpf_snprintf() (5.13) names the function of an address */
	__u8 drop_arguments;    /* of the tracepoint kfree_skb: 2 until 5.16, then the reason, then the socket (6.11) */
	__u8 reset_arguments;   /* of tcp_send_reset: 2 until 6.9, then the reason */
	__u8 reason_not_specified;     /* SKB_DROP_REASON_NOT_SPECIFIED; 0: this kernel gives no reasons */
	__u8 sees_connect_calls;       /* connect() is seen as a system call */
	__u8 sees_connect_errors;      /* connect() is seen to come back with an error, as that or in another way */
	__u8 tells_failed_retransmits; /* tcp_retransmit_skb comes for failed ones too, with the error (6.15) */
	__u8 reads_own_call; /* what the current process asks its system call for: bpf_task_pt_regs (5.15), probe reads */
	__u8 _pad[1];
	__u32 tick_ns;        /* a jiffy, in which the kernel counts some of its times */
	__u32 states_entered; /* bits 1 << state: set_state passes over a transition to any other state */
	__u32 last_use_mask;  /* places of the map last_uses, a power of two, less one */
};
SOCKEYE_ASSERT_SIZE(kernel_settings, 56);

/* Names of reasons, by the numbers that this kernel gives them; empty: there is none of that number. */
#define REASON_NAME_LEN 32 /* terminating NUL included */
#define DROP_REASONS 256   /* enum skb_drop_reason, without SKB_DROP_REASON_ */
#define DROP_SUBSYSTEMS 8  /* enum skb_drop_reason_subsys, which a reason has above its lower 16 bits */
#define RESET_REASONS 64   /* enum sk_rst_reason, without SK_RST_REASON_ */

struct reason_name {
	char text[REASON_NAME_LEN];
};
SOCKEYE_ASSERT_SIZE(reason_name, 32);

/* Code of the kernel: from `from` to before `to`. Both 0: not known. */
struct code_range {
	__u64 from;
	__u64 to;
};
SOCKEYE_ASSERT_SIZE(code_range, 16);

/* Where packets end that are not lost: told where the kernel does not say for which socket a dropped packet was. */
struct tcp_receive_code {
	struct code_range ipv4;   /* tcp_v4_rcv() */
	struct code_range ipv6;   /* tcp_v6_rcv() */
	struct code_range states; /* tcp_rcv_state_process() */
};
SOCKEYE_ASSERT_SIZE(tcp_receive_code, 48);

/* The same of copies of packets, for taps and raw sockets: the functions that hand them to these. */
#define COPY_FUNCTIONS 8

struct copy_code {
	struct code_range functions[COPY_FUNCTIONS];
};
SOCKEYE_ASSERT_SIZE(copy_code, 128);

struct reason_names {
	struct reason_name drops[DROP_REASONS];
	struct reason_name subsystems[DROP_SUBSYSTEMS];
	struct reason_name resets[RESET_REASONS];
};

/* Reasons why the kernel side lost something; the index into kernel_counters.lost. */
#define LOST_RING_FULL 0   /* no room in the ring: the event was dropped */
#define LOST_ENTRY_ALLOC 1 /* no socket entry could be had: the event went on without owner and duration */
#define LOST_REASONS 2

struct kernel_counters {
	SOCKEYE_COUNTER __u64 lost[LOST_REASONS];
	__u64 lost_from_ns[LOST_REASONS]; /* when the first of them was lost since user space last set it to 0 */
	__u64 lost_to_ns[LOST_REASONS];   /* when the last of them was lost, CLOCK_BOOTTIME */
	/* events that a twin program handled while the first was interrupted on that CPU */
	SOCKEYE_COUNTER __u64 rescued;
	SOCKEYE_COUNTER __u64 snapshot_owned; /* sockets that the snapshot found an owner for */
	SOCKEYE_COUNTER __u64 table_full;     /* events with OUTCOME_TABLE_FULL */
	__u64 attached_ns; /* when all programs were attached, CLOCK_BOOTTIME, told by user space; 0: not yet */
	SOCKEYE_COUNTER __u64 anomalies;    /* counters that did not fit together: bpf/counter.h */
	SOCKEYE_COUNTER __u64 without_role; /* events left out by --direction as nobody knows who connected */
	/* owners that have ended while others may hold their sockets: user space looks who does */
	SOCKEYE_COUNTER __u64 heirs_wanted;
	SOCKEYE_COUNTER __u64 processes_untracked; /* owners that there was no room for: their end is not noticed */
	/* that there was no room for: their children have no owner until they are used */
	SOCKEYE_COUNTER __u64 listeners_left_out;
	__u64 entries_refused; /* 1: there was no room for an event */
};
SOCKEYE_ASSERT_SIZE(kernel_counters, 128);

#endif
