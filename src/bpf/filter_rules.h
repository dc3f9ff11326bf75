/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filters of a run. User space writes them into read-only data before the kernel side is loaded, so that a list
 * that is empty is dead code to the verifier; replay evaluates the same struct with the same code (bpf/filter.h).
 * All zero is no filter at all.
 */
#ifndef SOCKEYE_BPF_FILTER_RULES_H
#define SOCKEYE_BPF_FILTER_RULES_H

#include "event/wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

#define FILTER_PIDS 64   /* room for --pid, which takes what pgrep prints */
#define FILTER_VALUES 16 /* room in every other list */

/* Which end of a socket a list of addresses or ports is about; the index into the arrays of filter_rules. */
#define FILTER_SRC 0 /* what is printed as SRC: the local end */
#define FILTER_DST 1 /* what is printed as DST: the peer */
#define FILTER_LOCAL 2
#define FILTER_PEER 3
#define FILTER_EITHER 4
#define FILTER_ENDS 5

/* filter_rules.direction */
#define FILTER_DIRECTION_OUT 1 /* connections that this end opened: clients */
#define FILTER_DIRECTION_IN 2  /* servers and listeners */

/* Bit i is about entry i of a list. One of the wanted entries has to match, if there are any; no other may. */
struct filter_list {
	__u64 used;   /* entries 0.. without a hole */
	__u64 wanted; /* of them, those that are not excluded with `!` */
};
SOCKEYE_ASSERT_SIZE(filter_list, 16);

/* Sixteen bytes x match where (x & mask) == value, both halves, in the byte order of memory. */
struct filter_bytes {
	__u64 value[2];
	__u64 mask[2];
};
SOCKEYE_ASSERT_SIZE(filter_bytes, 32);

/*
 * The interface that a link-local address is of: x matches where (x & mask) == value, of the namespace's inode number above
 * the interface's index. All zero: any, or none.
 */
struct filter_scope {
	__u64 value;
	__u64 mask;
};
SOCKEYE_ASSERT_SIZE(filter_scope, 16);

/* Ports, host order. A port that is not known is 0, which no span holds. */
struct filter_span {
	__u16 low;  /* the first, at least 1 */
	__u16 high; /* the last */
};
SOCKEYE_ASSERT_SIZE(filter_span, 4);

/* filter_rules.containers, bits: which containers these are is for user space to say, by what it knows of cgroups. */
#define FILTER_CONTAINERS 1            /* there is a --container */
#define FILTER_CONTAINERS_WANTED 2     /* one that is not excluded: a socket without an owner fails */
#define FILTER_CONTAINERS_BY_PROCESS 4 /* a process in the root of the hierarchy is told by itself: v1 is mounted */

/* Whatever is in one container, or in none, together: a cgroup, or a process that its cgroup tells nothing of. */
struct container_key {
	__u64 id;   /* owner.cgroup_id; with CONTAINER_BY_PROCESS owner.start_ns */
	__u32 pid;  /* with CONTAINER_BY_PROCESS owner.pid, else 0 */
	__u32 kind; /* CGROUP_*, or CONTAINER_BY_PROCESS */
};
SOCKEYE_ASSERT_SIZE(container_key, 16);

#define CONTAINER_BY_PROCESS 256
#define CONTAINER_VERDICTS 16384 /* room for what user space says of containers */
#define CGROUP_ROOT_ID 1         /* of every hierarchy: kernfs_create_root() allocates it first */

struct filter_rules {
	struct filter_list pids;
	struct filter_list uids;
	struct filter_list netns_inodes;
	struct filter_list cgroups;
	struct filter_list comms;
	struct filter_list addresses[FILTER_ENDS];
	struct filter_list ports[FILTER_ENDS];
	__u64 pid[FILTER_PIDS];                                  /* owner.pid */
	__u64 uid[FILTER_VALUES];                                /* owner.uid */
	__u64 netns[FILTER_VALUES];                              /* socket_id.netns */
	__u64 cgroup[FILTER_VALUES];                             /* owner.cgroup_id */
	struct filter_bytes comm[FILTER_VALUES];                 /* owner.comm; the mask takes in the name's NUL */
	struct filter_bytes address[FILTER_ENDS][FILTER_VALUES]; /* networks; IPv4 is v4-mapped, its prefix 96 longer */
	struct filter_scope scope[FILTER_ENDS][FILTER_VALUES];   /* of address[][]: an entry matches where both do */
	struct filter_span port[FILTER_ENDS][FILTER_VALUES];
	__u8 family;      /* AF_INET or AF_INET6: IPv4 also where an IPv6 socket carries it; 0: both */
	__u8 direction;   /* FILTER_DIRECTION_*; 0: both */
	__u8 active_only; /* leave out transitions of connections that are over */
	__u8 active;      /* anything but active_only is set */
	__u16 states;     /* snapshots: the bit of each state is set that is wanted; 0: all of them */
	__u8 containers;  /* FILTER_CONTAINERS*; 0: no --container */
	__u8 _pad[1];
};
SOCKEYE_ASSERT_SIZE(filter_rules, 5816);

#pragma GCC diagnostic pop

#endif
