// SPDX-License-Identifier: Apache-2.0
// What is said of a run beside its events.
#pragma once

#include <string>

#include "run/run.h"

namespace sockeye {

// What the run does less well than on a kernel that offers everything, in one line each.
void say_what_is_missing(const Object& object);

// What the tables of the kernel side had no room for; nothing where that was enough.
void say_what_found_no_room(const kernel_counters& counters);

// How many were delivered (of `what`, in the singular) and how many lost, where and why.
void say_totals(const RunTotals& totals, const std::string& what);

// Whether something was not written that was there to be: of a command that ends by itself, whoever runs it can run it
// again.
bool could_not_write(const RunTotals& totals);

// What nobody can tell the numbers of: the opener of a connection, for --direction; counters that do not fit together.
void say_left_out(const RunTotals& totals, const std::string& what);

}  // namespace sockeye
