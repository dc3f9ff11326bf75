/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hook connection_sent: a process has sent on an MPTCP socket, in its own context. For kernels without the
 * tracepoint that the hook `sent` has this from. It serves owners alone: no handler is called.
 */
#include "bpf/hook_call.h"
#include "bpf/owner_by_cookie.h"

SEC("fexit/mptcp_sendmsg")
int BPF_PROG(connection_sent__fexit, struct sock *sk)
{
	connection_touched(sk, OWNER_USE);
	return 0;
}
