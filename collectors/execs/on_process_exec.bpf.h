/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SOCKEYE_EXECS_ON_PROCESS_EXEC_BPF_H
#define SOCKEYE_EXECS_ON_PROCESS_EXEC_BPF_H

#include "bpf/emit.h"
#include "collectors/execs/execs.event.h"

INLINE void execs_on_process_exec(struct hook_call *call)
{
	struct execs_event *event;

	if (!passes_filters_of_process(call->owner))
		return;
	event = reserve_event(execs_event, EXECS_KIND, call);
	if (!event)
		return;
	event->base.owner = *call->owner;
	read_context(&event->base.context);
	if (settings.may_probe_read)
		bpf_probe_read_kernel_str(event->path, sizeof(event->path), call->path);
	submit_event(event);
}

#endif
