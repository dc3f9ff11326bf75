/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layer 0 of the kernel side: types, helpers, settings, counters and the ring. Every file of bpf/ includes it first. */
#ifndef SOCKEYE_BPF_BASE_H
#define SOCKEYE_BPF_BASE_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "src/bpf/filter_rules.h"
#include "src/bpf/settings.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define INLINE static __always_inline

const volatile struct kernel_settings settings = {};
const volatile struct filter_rules filters = {}; /* of this run, set before loading */
const volatile struct reason_names reasons __attribute__((aligned(8))) = {};
const volatile struct tcp_receive_code tcp_receive = {};
const volatile struct copy_code copies = {};
const volatile __u32 dst_entry_type = 0; /* type id of struct dst_entry where bpf_rdonly_cast exists, else 0 */
struct kernel_counters counters __attribute__((aligned(64))) = {}; /* no cache line that all programs read is written */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20); /* user space sets it: --ring-size */
} ring SEC(".maps");

/* The count is the last to be written: whoever sees it sees the times. */
INLINE void count_lost(__u32 reason)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (reason >= LOST_REASONS)
		return;
	if (!counters.lost_from_ns[reason])
		counters.lost_from_ns[reason] = now;
	counters.lost_to_ns[reason] = now;
	__sync_fetch_and_add(&counters.lost[reason], 1);
}

/* 0, which the verifier does not know: whoever has this memory may write to it. */
__u64 unknown_zero = 0;

typedef __u64 __attribute__((may_alias)) verifier_word;

/*
 * Makes the verifier forget what it knows of these words, so that it follows what comes behind once, and not once for
 * each way here. Before 6.4 it keeps ways apart by each constant on the stack where a program has subprograms, which
 * filters are.
 */
INLINE void forget_values(void *words, __u32 size)
{
	__u64 zero = unknown_zero;

	for (__u32 i = 0; i < size / sizeof(__u64); i++)
		((volatile verifier_word *)words)[i] |= zero;
}

/* The same of a number in a register. */
#define forget_number(number) ((number) |= (__typeof__(number))unknown_zero)

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262 /* the connection above its subflows, which are TCP */
#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000 /* <linux/sched.h>, the same since 2.6 */
#define PF_IO_WORKER 0x10     /* since 5.12 */
#define S_IFMT 0170000        /* of an inode's mode */
#define S_IFSOCK 0140000

#endif
