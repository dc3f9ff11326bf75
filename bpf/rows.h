/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layer 3: rows: what is counted in the kernel, by key, in place of events. A collector that has some keeps them in two
 * maps, <name>_rows_0 and <name>_rows_1, whose value is its event struct. Programs write one side; user space sweeps the other
 * (src/source/row_sweep.h): it changes rows_side, waits until no program runs that may have seen the old one, reads and
 * deletes. So nothing is counted twice, nothing goes between reading and deleting, and a map holds what was counted since
 * the sweep before. What finds no room is counted in the row with the key 0, which user space puts there.
 *
 * Rows whose sums are hot on several CPUs at once may be in per-CPU maps: the sweep adds the CPUs' values up. Those that
 * are written under a socket's lock need none, and a machine of many CPUs saves that much memory.
 */
#ifndef SOCKEYE_BPF_ROWS_H
#define SOCKEYE_BPF_ROWS_H

#include "bpf/hook_call.h"

__u32 rows_side = 0; /* which map programs write */

#define ROWS_MAP(name, map_type, rows, key_type, value_type) \
	struct {                                             \
		__uint(type, map_type);                      \
		__uint(max_entries, (rows) + 1);             \
		__type(key, struct key_type);                \
		__type(value, struct value_type);            \
	} name SEC(".maps")

/* What a row begins as: the stack has no room for it. Nobody writes it. */
#define ROWS_BLANK(name, value_type)                     \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, 1);                  \
		__type(key, __u32);                      \
		__type(value, struct value_type);        \
	} name SEC(".maps")

INLINE void *row_in(void *rows, const void *key, const void *no_key, const void *blank)
{
	void *row = bpf_map_lookup_elem(rows, key);

	if (row)
		return row;
	bpf_map_update_elem(rows, key, blank, BPF_NOEXIST);
	row = bpf_map_lookup_elem(rows, key);
	return row ? row : bpf_map_lookup_elem(rows, no_key);
}

#endif
