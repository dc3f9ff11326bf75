/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook connection_received: a process has received from an MPTCP socket, in its own context. For kernels without the
 * tracepoint that the hook `received` has this from. It serves owners alone: no handler is called.
 */
#include "bpf/hook_call.h"
#include "bpf/owner_by_cookie.h"

SEC("fexit/mptcp_recvmsg")
int BPF_PROG(connection_received__fexit, struct sock *sk)
{
	connection_touched(sk, OWNER_USE);
	return 0;
}
