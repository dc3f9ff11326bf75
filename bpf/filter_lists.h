/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 1: what of a list of the filters matches. Pure functions, which user space compiles too. All loops run to a constant,
 * so that every kernel from 5.10 verifies them.
 */
#ifndef SOCKEYE_BPF_FILTER_LISTS_H
#define SOCKEYE_BPF_FILTER_LISTS_H

#ifdef __bpf__
#include "bpf/base.h"
#elif !defined(INLINE)
#define INLINE static inline
#endif

#include "src/bpf/filter_rules.h"

/* Addresses and comm as two words: the structs they are in are aligned for it. */
typedef __u64 __attribute__((may_alias)) filter_word;

/*
 * The sign bit. Entries are compared without a branch, or the verifier would follow two ways from each of them; the
 * asm keeps the compiler from making a branch of it.
 */
INLINE __u64 filter_sign(__u64 x)
{
	__asm__("" : "+r"(x));
	return x >> 63;
}

/* 1 where x is not 0. */
INLINE __u64 filter_differs(__u64 x)
{
	return filter_sign(x | (0 - x));
}

/*
 * What does not match: bit i is set where entry i of a list does not. Entries behind the last that is used are not looked
 * at. Addresses and comm are given as two words.
 */
INLINE __u64 number_misses(const volatile struct filter_list *list, const volatile __u64 *entries, __u32 room,
			   __u64 number)
{
	__u64 used = list->used, misses = 0;

	for (__u32 i = 0; i < room; i++) {
		if (!(used >> i & 1))
			break;
		misses |= filter_differs(entries[i] ^ number) << i;
	}
	return misses;
}

INLINE __u64 pid_misses(const volatile struct filter_rules *rules, __u64 pid)
{
	return number_misses(&rules->pids, rules->pid, FILTER_PIDS, pid);
}

INLINE __u64 uid_misses(const volatile struct filter_rules *rules, __u64 uid)
{
	return number_misses(&rules->uids, rules->uid, FILTER_VALUES, uid);
}

INLINE __u64 netns_misses(const volatile struct filter_rules *rules, __u64 inode)
{
	return number_misses(&rules->netns_inodes, rules->netns, FILTER_VALUES, inode);
}

INLINE __u64 cgroup_misses(const volatile struct filter_rules *rules, __u64 id)
{
	return number_misses(&rules->cgroups, rules->cgroup, FILTER_VALUES, id);
}

INLINE __u64 bytes_misses(const volatile struct filter_list *list, const volatile struct filter_bytes *entries,
			  __u64 first, __u64 second)
{
	__u64 used = list->used, misses = 0;

	for (__u32 i = 0; i < FILTER_VALUES; i++) {
		if (!(used >> i & 1))
			break;
		misses |= filter_differs(((first & entries[i].mask[0]) ^ entries[i].value[0]) |
					 ((second & entries[i].mask[1]) ^ entries[i].value[1]))
			  << i;
	}
	return misses;
}

INLINE __u64 comm_misses(const volatile struct filter_rules *rules, __u64 first, __u64 second)
{
	return bytes_misses(&rules->comms, rules->comm, first, second);
}

INLINE __u64 address_misses(const volatile struct filter_rules *rules, __u32 end, __u64 first, __u64 second,
			    __u64 scope)
{
	const volatile struct filter_scope *scopes = rules->scope[end];
	__u64 used = rules->addresses[end].used, misses = 0;

	for (__u32 i = 0; i < FILTER_VALUES; i++) {
		if (!(used >> i & 1))
			break;
		misses |= filter_differs((scope & scopes[i].mask) ^ scopes[i].value) << i;
	}
	return misses | bytes_misses(&rules->addresses[end], rules->address[end], first, second);
}

INLINE __u64 port_misses(const volatile struct filter_rules *rules, __u32 end, __u64 port)
{
	const volatile struct filter_span *entries = rules->port[end];
	__u64 used = rules->ports[end].used, misses = 0;

	for (__u32 i = 0; i < FILTER_VALUES; i++) {
		if (!(used >> i & 1))
			break;
		misses |= filter_sign((port - entries[i].low) | (entries[i].high - port)) << i;
	}
	return misses;
}

#ifdef __bpf__

/*
 * The loops are in global functions, which the verifier follows once in a program, and not once for each way that leads to
 * each call. They take numbers alone, as kernels before 5.12 give them nothing else.
 */
#define FOLLOWED_ONCE __attribute__((noinline)) __u64

FOLLOWED_ONCE pid_misses_once(__u64 pid)
{
	return pid_misses(&filters, pid);
}

FOLLOWED_ONCE uid_misses_once(__u64 uid)
{
	return uid_misses(&filters, uid);
}

FOLLOWED_ONCE netns_misses_once(__u64 inode)
{
	return netns_misses(&filters, inode);
}

FOLLOWED_ONCE cgroup_misses_once(__u64 id)
{
	return cgroup_misses(&filters, id);
}

FOLLOWED_ONCE comm_misses_once(__u64 first, __u64 second)
{
	return comm_misses(&filters, first, second);
}

FOLLOWED_ONCE address_misses_once(__u32 end, __u64 first, __u64 second, __u64 scope)
{
	return end < FILTER_ENDS ? address_misses(&filters, end, first, second, scope) : 0;
}

FOLLOWED_ONCE port_misses_once(__u32 end, __u64 port)
{
	return end < FILTER_ENDS ? port_misses(&filters, end, port) : 0;
}

#define pid_misses(rules, pid) pid_misses_once(pid)
#define uid_misses(rules, uid) uid_misses_once(uid)
#define netns_misses(rules, inode) netns_misses_once(inode)
#define cgroup_misses(rules, id) cgroup_misses_once(id)
#define comm_misses(rules, first, second) comm_misses_once(first, second)
#define address_misses(rules, end, first, second, scope) address_misses_once(end, first, second, scope)
#define port_misses(rules, end, port) port_misses_once(end, port)

#endif

INLINE int filter_verdict(const volatile struct filter_list *list, __u64 misses)
{
	__u64 hits = list->used & ~misses, wanted = list->wanted;

	if (hits & ~wanted)
		return 0;
	return !wanted || (hits & wanted);
}

#endif
