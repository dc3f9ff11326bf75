/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: does a socket pass the filters of this run? Pure functions over plain structs, without helpers and maps:
 * user space compiles the same code for replay and tests. All loops run to a constant, so that every kernel from 5.10
 * verifies them; the rules are read-only data, so that what is not asked for is dead code there.
 */
#ifndef SOCKEYE_BPF_FILTER_H
#define SOCKEYE_BPF_FILTER_H

#ifdef __bpf__
#include "bpf/base.h"
/* A subprogram: its code is there once in a program, however many handlers ask. */
#define FILTER_ENTRY static __attribute__((noinline, unused))
#else
#define FILTER_ENTRY static inline
#ifndef INLINE
#define INLINE static inline
#endif
#endif

#include "src/bpf/filter_rules.h"

/* What the filters say of a socket. */
#define VERDICT_UNDECIDED 0 /* user space decides, once it knows the container */
#define VERDICT_PASSES 1
#define VERDICT_FAILS 2
#define VERDICT_NO_ROLE 3 /* fails by --direction alone, as nobody knows who opened the connection */
#define VERDICT_BITS 2    /* that hold any of them */

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

/* `misses`: bit i is set where entry i does not match. */
INLINE int filter_verdict(const volatile struct filter_list *list, __u64 misses)
{
	__u64 hits = list->used & ~misses, wanted = list->wanted;

	if (hits & ~wanted)
		return 0;
	return !wanted || (hits & wanted);
}

/* Where the number is not known nothing matches: it is not wanted, and not excluded. */
INLINE int filter_number(const volatile struct filter_list *list, const volatile __u64 *entries, __u32 room, int known,
			 __u64 number)
{
	__u64 used = list->used, misses = known ? 0 : ~0ull;

	if (!used)
		return 1;
	for (__u32 i = 0; i < room; i++) {
		if (!(used >> i & 1))
			break;
		misses |= filter_differs(entries[i] ^ number) << i;
	}
	return filter_verdict(list, misses);
}

INLINE __u64 filter_bytes_misses(const volatile struct filter_list *list, const volatile struct filter_bytes *entries,
				 const filter_word *bytes)
{
	__u64 used = list->used, misses = 0;

	for (__u32 i = 0; i < FILTER_VALUES; i++) {
		if (!(used >> i & 1))
			break;
		misses |= filter_differs(((bytes[0] & entries[i].mask[0]) ^ entries[i].value[0]) |
					 ((bytes[1] & entries[i].mask[1]) ^ entries[i].value[1]))
			  << i;
	}
	return misses;
}

/* As filter_rules.scope has it. */
INLINE __u64 filter_scope_of(const struct socket_id *socket)
{
	return (__u64)socket->netns << 32 | socket->scope_id;
}

INLINE __u64 filter_address_misses(const volatile struct filter_rules *rules, __u32 end, const __u8 *address,
				   __u64 scope)
{
	const volatile struct filter_scope *scopes = rules->scope[end];
	__u64 used = rules->addresses[end].used, misses = 0;

	for (__u32 i = 0; i < FILTER_VALUES; i++) {
		if (!(used >> i & 1))
			break;
		misses |= filter_differs((scope & scopes[i].mask) ^ scopes[i].value) << i;
	}
	return misses | filter_bytes_misses(&rules->addresses[end], rules->address[end], (const filter_word *)address);
}

INLINE __u64 filter_port_misses(const volatile struct filter_list *list, const volatile struct filter_span *entries,
				__u64 port)
{
	__u64 used = list->used, misses = 0;

	for (__u32 i = 0; i < FILTER_VALUES; i++) {
		if (!(used >> i & 1))
			break;
		misses |= filter_sign((port - entries[i].low) | (entries[i].high - port)) << i;
	}
	return misses;
}

INLINE int filter_address(const volatile struct filter_rules *rules, __u32 end, const __u8 *address, __u64 scope)
{
	const volatile struct filter_list *list = &rules->addresses[end];

	if (!list->used)
		return 1;
	return filter_verdict(list, filter_address_misses(rules, end, address, scope));
}

INLINE int filter_port(const volatile struct filter_rules *rules, __u32 end, __u16 port)
{
	const volatile struct filter_list *list = &rules->ports[end];

	if (!list->used)
		return 1;
	return filter_verdict(list, filter_port_misses(list, rules->port[end], port));
}

/*
 * --peer-ip and --peer-port (FILTER_PEER), and with the local end --ip and --port (FILTER_EITHER): one end that is wanted is
 * enough, one that is excluded too. `asked`: what the peer was asked for as, an end as well; 0: there is none.
 */
INLINE int filter_peer_address(const volatile struct filter_rules *rules, __u32 end, const struct socket_id *socket,
			       const struct asked_end *asked)
{
	const volatile struct filter_list *list = &rules->addresses[end];
	__u64 misses, scope = filter_scope_of(socket);

	if (!list->used)
		return 1;
	misses = filter_address_misses(rules, end, socket->raddr, scope);
	if (end == FILTER_EITHER)
		misses &= filter_address_misses(rules, end, socket->laddr, scope);
	if (asked)
		misses &= filter_address_misses(rules, end, asked->address, scope);
	return filter_verdict(list, misses);
}

INLINE int filter_peer_port(const volatile struct filter_rules *rules, __u32 end, const struct socket_id *socket,
			    const struct asked_end *asked)
{
	const volatile struct filter_list *list = &rules->ports[end];
	const volatile struct filter_span *entries = rules->port[end];
	__u64 misses;

	if (!list->used)
		return 1;
	misses = filter_port_misses(list, entries, socket->rport);
	if (end == FILTER_EITHER)
		misses &= filter_port_misses(list, entries, socket->lport);
	if (asked)
		misses &= filter_port_misses(list, entries, asked->port);
	return filter_verdict(list, misses);
}

/* ::ffff:0:0/96, as words of memory. */
INLINE int filter_is_mapped(const __u8 *address)
{
	return !((const filter_word *)address)[0] && !address[8] && !address[9] && address[10] == 0xff &&
	       address[11] == 0xff;
}

/* What the socket carries, not what it is: an IPv6 socket with mapped addresses talks IPv4. */
INLINE int filter_family(const volatile struct filter_rules *rules, const struct socket_id *socket)
{
	int is_ipv4;

	if (!rules->family)
		return 1;
	is_ipv4 = socket->family == AF_INET || filter_is_mapped(socket->laddr) || filter_is_mapped(socket->raddr);
	return is_ipv4 == (rules->family == AF_INET);
}

INLINE int filter_direction(const volatile struct filter_rules *rules, const struct socket_id *socket)
{
	if (rules->direction == FILTER_DIRECTION_OUT)
		return socket->role == ROLE_CLIENT;
	if (rules->direction == FILTER_DIRECTION_IN)
		return socket->role == ROLE_SERVER || socket->role == ROLE_LISTENER;
	return 1;
}

/* `src_is_peer`: what is printed as SRC is the peer; else the local end, and DST what the peer was asked for as. */
INLINE int filter_printed_ends(const volatile struct filter_rules *rules, const struct socket_id *socket,
			       int src_is_peer, const struct asked_end *asked)
{
	const __u8 *src = src_is_peer ? socket->raddr : socket->laddr,
		   *dst = src_is_peer ? socket->laddr : asked->address;

	return filter_port(rules, FILTER_SRC, src_is_peer ? socket->rport : socket->lport) &&
	       filter_port(rules, FILTER_DST, src_is_peer ? socket->lport : asked->port) &&
	       filter_address(rules, FILTER_SRC, src, filter_scope_of(socket)) &&
	       filter_address(rules, FILTER_DST, dst, filter_scope_of(socket));
}

INLINE int filter_socket(const volatile struct filter_rules *rules, const struct socket_id *socket,
			 const struct asked_end *asked)
{
	return filter_family(rules, socket) &&
	       filter_number(&rules->netns_inodes, rules->netns, FILTER_VALUES, 1, socket->netns) &&
	       filter_port(rules, FILTER_LOCAL, socket->lport) && filter_peer_port(rules, FILTER_PEER, socket, asked) &&
	       filter_address(rules, FILTER_LOCAL, socket->laddr, filter_scope_of(socket)) &&
	       filter_peer_address(rules, FILTER_PEER, socket, asked) &&
	       filter_peer_port(rules, FILTER_EITHER, socket, asked) &&
	       filter_peer_address(rules, FILTER_EITHER, socket, asked);
}

INLINE int filter_knows(const struct owner *owner)
{
	return owner && owner->source != OWNER_UNKNOWN && owner->source != OWNER_KERNEL;
}

INLINE int filter_comm(const volatile struct filter_rules *rules, const struct owner *owner, int known)
{
	if (!rules->comms.used)
		return 1;
	return filter_verdict(&rules->comms,
			      known ? filter_bytes_misses(&rules->comms, rules->comm, (const filter_word *)owner->comm)
				    : ~0ull);
}

/* Of an owner that is unknown, or the kernel, the fields are zero, which is a uid like another: not looked at. */
INLINE int filter_owner(const volatile struct filter_rules *rules, const struct owner *owner)
{
	int known = filter_knows(owner);

	return filter_comm(rules, owner, known) &&
	       filter_number(&rules->pids, rules->pid, FILTER_PIDS, known, known ? owner->pid : 0) &&
	       filter_number(&rules->uids, rules->uid, FILTER_VALUES, known, known ? owner->uid : 0) &&
	       filter_number(&rules->cgroups, rules->cgroup, FILTER_VALUES, known, known ? owner->cgroup_id : 0);
}

/* By what an owner's container is looked up: its cgroup, or itself (`by_process`) where that is the root of all. */
INLINE struct container_key filter_container_key(const struct owner *owner, int by_process)
{
	struct container_key key = { .id = owner->cgroup_id, .pid = 0, .kind = owner->cgroup_hierarchy };

	if (by_process && owner->cgroup_id == CGROUP_ROOT_ID && owner->pid && owner->start_ns) {
		key.id = owner->start_ns;
		key.pid = owner->pid;
		key.kind = CONTAINER_BY_PROCESS;
	}
	return key;
}

/* The peer as the process asked for it; where that is not known, as its socket has it. */
INLINE struct asked_end filter_asked_end(const struct socket_id *socket, const struct asked_end *asked)
{
	struct asked_end end = { .port = asked ? asked->port : socket->rport };

	__builtin_memcpy(end.address, asked ? asked->address : socket->raddr, sizeof(end.address));
	return end;
}

/*
 * Whether events of this socket pass, but for --container and --direction (filter_direction()). src is the local end and dst
 * the peer. `owner` is null, or its source OWNER_UNKNOWN, where nothing is known of it.
 */
FILTER_ENTRY int filter_passes_any_role(const volatile struct filter_rules *rules, const struct socket_id *socket,
					const struct owner *owner)
{
	struct asked_end peer;

	if (!rules->active)
		return 1;
	peer = filter_asked_end(socket, 0);
	return filter_socket(rules, socket, 0) && filter_printed_ends(rules, socket, 0, &peer) &&
	       filter_owner(rules, owner);
}

/* The same where src is who opened the connection, on a server's side the peer, and dst what that one asked for. */
FILTER_ENTRY int filter_passes_any_role_by_opener(const volatile struct filter_rules *rules,
						  const struct socket_id *socket, const struct owner *owner,
						  const struct asked_end *asked)
{
	struct asked_end peer;

	if (!rules->active)
		return 1;
	peer = filter_asked_end(socket, asked);
	return filter_socket(rules, socket, &peer) &&
	       filter_printed_ends(rules, socket, socket->role == ROLE_SERVER, &peer) && filter_owner(rules, owner);
}

/* The same with --direction. */
INLINE int filter_passes(const volatile struct filter_rules *rules, const struct socket_id *socket,
			 const struct owner *owner)
{
	return filter_passes_any_role(rules, socket, owner) && (!rules->active || filter_direction(rules, socket));
}

INLINE int filter_passes_by_opener(const volatile struct filter_rules *rules, const struct socket_id *socket,
				   const struct owner *owner, const struct asked_end *asked)
{
	return filter_passes_any_role_by_opener(rules, socket, owner, asked) &&
	       (!rules->active || filter_direction(rules, socket));
}

/* Whether the two can differ: a filter names src or dst. */
INLINE int filter_names_printed_ends(const volatile struct filter_rules *rules)
{
	return rules->addresses[FILTER_SRC].used || rules->addresses[FILTER_DST].used ||
	       rules->ports[FILTER_SRC].used || rules->ports[FILTER_DST].used;
}

/*
 * --active-only: leaves out what is into or out of the states of a connection that is over, and into CLOSE. The same
 * for a kernel's transition to CLOSE and for the derived one to TIME_WAIT that stands for it, as both come out of
 * FIN_WAIT2 or CLOSING.
 */
INLINE int filter_passes_transition(const volatile struct filter_rules *rules, __u8 old_state, __u8 new_state)
{
	const __u32 over = 1 << TCP_FIN_WAIT2 | 1 << TCP_TIME_WAIT | 1 << TCP_CLOSING | 1 << TCP_LAST_ACK;

	if (!rules->active_only)
		return 1;
	return !(over & 1u << (old_state & 31)) && !((over | 1 << TCP_CLOSE) & 1u << (new_state & 31));
}

/* The same for the state that a socket is in. */
INLINE int filter_passes_state(const volatile struct filter_rules *rules, __u8 state)
{
	if (rules->states && !(rules->states >> (state & 15) & 1))
		return 0;
	return filter_passes_transition(rules, state, state);
}

#endif
