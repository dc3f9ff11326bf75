// SPDX-License-Identifier: Apache-2.0
// How a reading of `sockeye counts` looks.
#pragma once

#include "aggregate/socket_counts.h"
#include "base/buffer.h"
#include "base/clock.h"

namespace sockeye {

// For people: a line a state and the total; one line on how old the visited part is and what the counters were off by.
void add_counts_table(Buffer& out, const CountsReading& reading);

// The same of a reading with groups: a row a group. `columns`: of the terminal; 0: no terminal, nothing is left out.
void add_grouped_counts_table(Buffer& out, const CountsReading& reading, int columns);

// One line of JSON, with its newline, and the groups where there are any. A closed socket cannot be counted: CLOSE is
// null.
void add_counts_json(Buffer& out, const CountsReading& reading, const WallTime& wall);

}  // namespace sockeye
