/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_CONNECTIONS_ON_CONNECT_RETURNED_BPF_H
#define SOCKEYE_CONNECTIONS_ON_CONNECT_RETURNED_BPF_H

#include "collectors/connections/emit.bpf.h"

/* It goes on, was interrupted, or is done. */
INLINE int connections_is_no_end(__u8 error)
{
	return error == EINPROGRESS || error == EALREADY || error == EINTR || error == EISCONN;
}

/*
 * The end of an attempt that was in SYN_SENT is told by now, and its error comes here after. Where somebody else has taken
 * the error (SO_ERROR) or ended the attempt, __inet_stream_connect() has one of three that no new attempt comes to.
 */
INLINE int connections_was_told(struct hook_call *call)
{
	struct connections_sock *own = call->entry ? entry_part(call->entry, connections) : 0;
	__u8 told = 0, *told_by_cookie;

	if (own) {
		if (own->awaits)
			return 1;
		told = own->told_error;
	} else if (call->cookie) {
		told_by_cookie = bpf_map_lookup_elem(&connections_told, &call->cookie);
		told = told_by_cookie ? *told_by_cookie : 0;
	}
	connections_set_told(call, 0);
	return told == call->error || told == CONNECTIONS_TOLD_ANY || call->error == ECONNABORTED ||
	       call->error == ECONNRESET || call->error == EPIPE;
}

INLINE void connections_on_connect_returned(struct hook_call *call)
{
	struct connections_report report;

	if (connections_is_no_end(call->error) || connections_was_told(call))
		return;
	report = connections_report_connect(call, (__u8)call->error, CONNECTIONS_FAILED);
	connections_emit(call, &report);
}

#endif
