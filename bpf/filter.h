/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 2: does a socket pass the filters of this run? Pure functions over plain structs, without helpers and maps:
 * user space compiles the same code for replay and tests. The rules are read-only data, so that what is not asked for is dead
 * code to the verifier.
 */
#ifndef SOCKEYE_BPF_FILTER_H
#define SOCKEYE_BPF_FILTER_H

#include "bpf/filter_lists.h"

#ifdef __bpf__
/* A subprogram: its code is there once in a program, however many handlers ask. */
#define FILTER_ENTRY static __attribute__((noinline, unused))
#else
#define FILTER_ENTRY static inline
#endif

/* What the filters say of a socket. */
#define VERDICT_UNDECIDED 0 /* user space decides, once it knows the container */
#define VERDICT_PASSES 1
#define VERDICT_FAILS 2
#define VERDICT_NO_ROLE 3 /* fails by --direction alone, as nobody knows who opened the connection */
#define VERDICT_BITS 2    /* that hold any of them */

/* As filter_rules.scope has it. */
INLINE __u64 filter_scope_of(const struct socket_id *socket)
{
	return (__u64)socket->netns << 32 | socket->scope_id;
}

INLINE __u64 filter_address_misses(const volatile struct filter_rules *rules, __u32 end, const __u8 *address,
				   __u64 scope)
{
	const filter_word *words = (const filter_word *)address;

	return address_misses(rules, end, words[0], words[1], scope);
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
	return filter_verdict(list, port_misses(rules, end, port));
}

/* The peer as it is, or as the process asked for it. */
struct filter_peer {
	const __u8 *address;
	__u16 port; /* host order */
	__u16 is_asked;
};

/*
 * --peer-ip and --peer-port (FILTER_PEER), and with the local end --ip and --port (FILTER_EITHER): one end that is wanted is
 * enough, one that is excluded too. What the peer was asked for as is an end as well.
 */
INLINE int filter_peer_address(const volatile struct filter_rules *rules, __u32 end, const struct socket_id *socket,
			       struct filter_peer peer)
{
	const volatile struct filter_list *list = &rules->addresses[end];
	__u64 misses, scope = filter_scope_of(socket);

	if (!list->used)
		return 1;
	misses = filter_address_misses(rules, end, socket->raddr, scope);
	if (end == FILTER_EITHER)
		misses &= filter_address_misses(rules, end, socket->laddr, scope);
	if (peer.is_asked)
		misses &= filter_address_misses(rules, end, peer.address, scope);
	return filter_verdict(list, misses);
}

INLINE int filter_peer_port(const volatile struct filter_rules *rules, __u32 end, const struct socket_id *socket,
			    struct filter_peer peer)
{
	const volatile struct filter_list *list = &rules->ports[end];
	__u64 misses;

	if (!list->used)
		return 1;
	misses = port_misses(rules, end, socket->rport);
	if (end == FILTER_EITHER)
		misses &= port_misses(rules, end, socket->lport);
	if (peer.is_asked)
		misses &= port_misses(rules, end, peer.port);
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
			       int src_is_peer, struct filter_peer peer)
{
	const __u8 *src = src_is_peer ? socket->raddr : socket->laddr,
		   *dst = src_is_peer ? socket->laddr : peer.address;

	return filter_port(rules, FILTER_SRC, src_is_peer ? socket->rport : socket->lport) &&
	       filter_port(rules, FILTER_DST, src_is_peer ? socket->lport : peer.port) &&
	       filter_address(rules, FILTER_SRC, src, filter_scope_of(socket)) &&
	       filter_address(rules, FILTER_DST, dst, filter_scope_of(socket));
}

INLINE int filter_netns(const volatile struct filter_rules *rules, __u32 inode)
{
	const volatile struct filter_list *list = &rules->netns_inodes;

	return !list->used || filter_verdict(list, netns_misses(rules, inode));
}

INLINE int filter_socket(const volatile struct filter_rules *rules, const struct socket_id *socket,
			 struct filter_peer peer)
{
	return filter_family(rules, socket) && filter_netns(rules, socket->netns) &&
	       filter_port(rules, FILTER_LOCAL, socket->lport) && filter_peer_port(rules, FILTER_PEER, socket, peer) &&
	       filter_address(rules, FILTER_LOCAL, socket->laddr, filter_scope_of(socket)) &&
	       filter_peer_address(rules, FILTER_PEER, socket, peer) &&
	       filter_peer_port(rules, FILTER_EITHER, socket, peer) &&
	       filter_peer_address(rules, FILTER_EITHER, socket, peer);
}

INLINE int filter_knows(const struct owner *owner)
{
	return owner && owner->source != OWNER_UNKNOWN && owner->source != OWNER_KERNEL;
}

/* Of an owner that is unknown, or the kernel, nothing matches: it is not wanted, and not excluded. Its fields are zero. */
INLINE int filter_owner(const volatile struct filter_rules *rules, const struct owner *owner)
{
	const filter_word *comm;
	const __u64 nothing = ~0ull;

	if (!filter_knows(owner))
		return filter_verdict(&rules->comms, nothing) && filter_verdict(&rules->pids, nothing) &&
		       filter_verdict(&rules->uids, nothing) && filter_verdict(&rules->cgroups, nothing);
	comm = (const filter_word *)owner->comm;
	return (!rules->comms.used || filter_verdict(&rules->comms, comm_misses(rules, comm[0], comm[1]))) &&
	       (!rules->pids.used || filter_verdict(&rules->pids, pid_misses(rules, owner->pid))) &&
	       (!rules->uids.used || filter_verdict(&rules->uids, uid_misses(rules, owner->uid))) &&
	       (!rules->cgroups.used || filter_verdict(&rules->cgroups, cgroup_misses(rules, owner->cgroup_id)));
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

/*
 * Whether events of this socket pass, but for --container and --direction (filter_direction()). src is the local end and dst
 * the peer. `owner` is null, or its source OWNER_UNKNOWN, where nothing is known of it.
 */
FILTER_ENTRY int filter_passes_any_role(const volatile struct filter_rules *rules, const struct socket_id *socket,
					const struct owner *owner)
{
	const struct filter_peer peer = { .address = socket->raddr, .port = socket->rport };

	if (!rules->active)
		return 1;
	return filter_socket(rules, socket, peer) && filter_printed_ends(rules, socket, 0, peer) &&
	       filter_owner(rules, owner);
}

/* The same where src is who opened the connection, on a server's side the peer, and dst what that one asked for. */
FILTER_ENTRY int filter_passes_any_role_by_opener(const volatile struct filter_rules *rules,
						  const struct socket_id *socket, const struct owner *owner,
						  const struct asked_end *asked)
{
	struct filter_peer peer = { .address = socket->raddr, .port = socket->rport };

	if (!rules->active)
		return 1;
	if (asked) {
		peer.address = asked->address;
		peer.port = asked->port;
		peer.is_asked = 1;
	}
	return filter_socket(rules, socket, peer) &&
	       filter_printed_ends(rules, socket, socket->role == ROLE_SERVER, peer) && filter_owner(rules, owner);
}

/* Of an event of a process that is about no socket: of a socket nothing matches. */
FILTER_ENTRY int filter_passes_process(const volatile struct filter_rules *rules, const struct owner *owner)
{
	const __u64 nothing = ~0ull;

	if (!rules->active)
		return 1;
	if (rules->family || rules->direction || !filter_verdict(&rules->netns_inodes, nothing))
		return 0;
	for (__u32 end = 0; end < FILTER_ENDS; end++) {
		if (!filter_verdict(&rules->addresses[end], nothing) || !filter_verdict(&rules->ports[end], nothing))
			return 0;
	}
	return filter_owner(rules, owner);
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
