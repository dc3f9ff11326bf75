// SPDX-License-Identifier: Apache-2.0
// How a reading of `sockeye counts` looks.
#pragma once

#include "aggregate/socket_counts.h"
#include "base/buffer.h"
#include "base/clock.h"

namespace sockeye {

// For people: a line a state and the total; then how old the visited part is and what the counters were off by.
// `columns`: of the terminal; 0: no terminal, nothing is broken into lines, shortened or left out.
void add_counts_table(Buffer& out, const CountsReading& reading, int columns);

// The same of a reading with groups: a row a group.
void add_grouped_counts_table(Buffer& out, const CountsReading& reading, int columns);

// One line of JSON, with its newline, and the groups where there are any. A closed socket cannot be counted: CLOSE is
// null.
void add_counts_json(Buffer& out, const CountsReading& reading, const WallTime& wall, int version);

}  // namespace sockeye
