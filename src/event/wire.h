/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every event that leaves the kernel begins with. Shared by the kernel side (C, clang -target bpf) and user
 * space (C++): fixed-width integers and arrays only, biggest first, padding written out, sizes asserted, append only.
 * Addresses are always 16 bytes in network order (IPv4 as ::ffff:a.b.c.d), ports are in host order.
 */
#ifndef SOCKEYE_EVENT_WIRE_H
#define SOCKEYE_EVENT_WIRE_H

#ifdef __bpf__
#define AF_INET 2
#define AF_INET6 10
/* <net/tcp_states.h> */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_CLOSING 11
#define SOCKEYE_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), "size of struct " #type)
#else
#include <linux/types.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#define SOCKEYE_ASSERT_SIZE(type, bytes) static_assert(sizeof(struct type) == (bytes), "size of struct " #type)
#endif

#define TCP_NEW_SYN_RECV 12 /* <net/tcp_states.h>; user space has no name for it */

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* Before a member that is only counted up: two of them are subtracted by counted_between() alone
 * (tools/check_counters.py). */
#ifndef SOCKEYE_COUNTER
#define SOCKEYE_COUNTER
#endif

#define TASK_COMM_LEN 16 /* <linux/sched.h>, terminating NUL included */

/* First in every event. */
struct event_header {
	__u16 kind; /* which struct follows: <NAME>_KIND of a collector's event header, or one of the kinds below 16 */
	__u16 size; /* bytes of the whole event, this header included */
	__u32 cpu;  /* the CPU it happened on; 0 where user space made the event */
	__u64 time_ns; /* CLOCK_BOOTTIME, nanoseconds */
};
SOCKEYE_ASSERT_SIZE(event_header, 16);

/* Kinds that no collector owns; collectors' begin at 16. */
#define GAP_KIND 1
#define END_KIND 2
#define FIRST_COLLECTOR_KIND 16

/* owner.source: how the owner of a socket is known. */
#define OWNER_UNKNOWN 0
#define OWNER_CONNECT 1   /* called connect() */
#define OWNER_LISTEN 2    /* called listen() */
#define OWNER_INHERITED 3 /* a child nobody has touched yet: the owner of the exact listener it came from */
#define OWNER_ACCEPT 4    /* accepted it */
#define OWNER_USE 5       /* the last process seen to send, receive, shut down or close on it */
#define OWNER_SNAPSHOT 6  /* held it when open files were visited: at the start, or after an owner had ended */
#define OWNER_KERNEL 7    /* a socket of the kernel's own (NFS, iSCSI, ...): there is no process */
#define OWNER_ITSELF 8    /* the event is the process's own, and about no socket */

/* owner.cgroup_hierarchy: which hierarchy cgroup_id is an id of. */
#define CGROUP_V2 0
#define CGROUP_V1_MEMORY 1 /* the process is in the root of v2: the id is that of its v1 memory cgroup */

/* The process a socket belongs to. All zero where source is OWNER_UNKNOWN or OWNER_KERNEL. */
struct owner {
	__u64 start_ns;  /* task_struct.start_boottime of the group leader: with pid the identity of a process */
	__u64 cgroup_id; /* kernfs id of the cgroup, in cgroup_hierarchy */
	char comm[TASK_COMM_LEN];   /* name of the thread group leader, untrusted bytes */
	char thread[TASK_COMM_LEN]; /* name of the thread that connected, listened or used, untrusted bytes */
	__u32 pid;                  /* thread group id in the initial pid namespace */
	__u32 tid;                  /* thread id in the initial pid namespace */
	__u32 ppid;                 /* parent's thread group id; 0 where the kernel cannot tell */
	__u32 uid;                  /* real uid in the initial user namespace */
	__u32 ns_pid;               /* pid in the innermost pid namespace of the process; 0 where unknown */
	__u8 source;                /* OWNER_* */
	__u8 cgroup_hierarchy;      /* CGROUP_* */
	__u8 _pad[2];
};
SOCKEYE_ASSERT_SIZE(owner, 72);

/* The task that was on the CPU: often not the owner (softirq work runs in whoever was there). */
struct task_context {
	char comm[TASK_COMM_LEN]; /* name of the thread, untrusted bytes */
	__u32 pid;                /* thread group id in the initial pid namespace; 0 is the idle task */
	__u32 tid;                /* thread id in the initial pid namespace */
};
SOCKEYE_ASSERT_SIZE(task_context, 24);

/* socket_id.role */
#define ROLE_UNKNOWN 0
#define ROLE_CLIENT 1   /* it called connect() */
#define ROLE_SERVER 2   /* it came out of a listener */
#define ROLE_LISTENER 3 /* it listens */

/* socket_id.family: AF_INET and AF_INET6 of <linux/socket.h> */
/* socket_id.flags */
#define SOCKET_MPTCP 1 /* a subflow of an MPTCP connection (tcp_sock.is_mptcp) */

/* Which socket. The cookie does not recycle while the machine runs, the namespace's inode number does. */
struct socket_id {
	__u64 cookie; /* socket cookie; bit 63 set: an id of our own, on kernels that give tracing programs no cookie */
	__u64 netns_cookie; /* cookie of the network namespace; 0 where the kernel has not given it one */
	__u8 laddr[16];     /* local address */
	__u8 raddr[16];     /* remote address; all zero (or ::ffff:0.0.0.0) on a listener */
	__u32 netns;        /* inode number of the network namespace, for display */
	__u16 lport;        /* local port; 0: not known yet */
	__u16 rport;        /* remote port; 0 on a listener */
	__u8 family;        /* AF_INET or AF_INET6: that of the socket; an IPv6 socket may hold mapped IPv4 addresses */
	__u8 role;          /* ROLE_* */
	__u8 flags;         /* SOCKET_* */
	__u8 _pad[1];
	__u32 scope_id; /* index of the interface that a link-local address (fe80::/10) is of; 0: there is none */
};
SOCKEYE_ASSERT_SIZE(socket_id, 64);

/* The end that a process asked to be connected to, where its socket connects to another one. To be read as words. */
struct asked_end {
	__u8 address[16]; /* network order, IPv4 as ::ffff:a.b.c.d */
	__u16 port;       /* host order */
	__u8 is_other;    /* 0: the socket's remote end is what was asked for, or that is not known */
	__u8 _pad[5];
} __attribute__((aligned(8)));
SOCKEYE_ASSERT_SIZE(asked_end, 24);

/* What the kernel puts in place of a socket that it closes from FIN_WAIT2 or CLOSING. */
#define OUTCOME_NONE 0      /* it is no such transition */
#define OUTCOME_TIME_WAIT 1 /* a TIME_WAIT minisocket */
#define OUTCOME_FIN_WAIT2_ORPHAN \
	2                    /* a FIN_WAIT2 minisocket: ss shows FIN-WAIT-2, it turns TIME_WAIT without an event */
#define OUTCOME_GONE 3       /* nothing */
#define OUTCOME_TABLE_FULL 4 /* its namespace's table of minisockets is full: nothing, or the last that fitted in */

/* A list in the tail of an event: elements of equal size, append only like any struct. */
struct wire_list {
	__u32 left_out; /* elements that found no room */
	__u16 at;       /* where the first begins, from the event's beginning, a multiple of 8; 0: there is no list */
	__u16 count;    /* elements that are there */
	__u16 size;     /* bytes of one, a multiple of 8 */
	__u8 _pad[2];
};
SOCKEYE_ASSERT_SIZE(wire_list, 12);

/* A process that has a socket open, by one of its descriptors: an element of a list. */
struct holder {
	__u64 cgroup_id;          /* as owner.cgroup_id */
	char comm[TASK_COMM_LEN]; /* as owner.comm, untrusted bytes */
	__u32 pid;                /* as owner.pid */
	__u32 uid;                /* as owner.uid */
	__u32 fd;                 /* number of the descriptor */
	__u8 _pad[4];
};
SOCKEYE_ASSERT_SIZE(holder, 40);

/*
 * What events have in common lies in sections, behind the header: socket, owner, task. An event has those that it has,
 * at places that its type says (EventType::sections). Most are of one socket, and begin with this.
 */
struct socket_event {
	struct event_header header;
	struct socket_id socket;
	struct owner owner;
	struct task_context context;
};
SOCKEYE_ASSERT_SIZE(socket_event, 176);

/* What an event of a process begins with that is about no socket. */
struct owner_event {
	struct event_header header;
	struct owner owner;
	struct task_context context;
};
SOCKEYE_ASSERT_SIZE(owner_event, 112);

#pragma GCC diagnostic pop

#endif
