// SPDX-License-Identifier: Apache-2.0
// How the groups of `sockeye counts --by` look.
#pragma once

#include "aggregate/socket_groups.h"
#include "base/buffer.h"

namespace sockeye {

// A row a group and one that adds them up, a column for each state that occurs. `columns`: of the terminal; states that
// do not fit, those with fewest sockets, are added up in a column OTHER, and names are shortened. 0: no terminal,
// nothing is left out or shortened.
void add_groups_table(Buffer& out, const GroupedSockets& grouped, int columns);

// "by":...,"groups":[...],"groups_folded":N: members of an object.
void add_groups_json(Buffer& out, const GroupedSockets& grouped);

}  // namespace sockeye
