// SPDX-License-Identifier: Apache-2.0
// Differences of what is only counted up. The one place of user space that subtracts counters
// (tools/check_counters.py), as bpf/counter.h is the kernel side's: counters that do not fit together give 0 and are
// counted.
#pragma once

#include <cstdint>

// Before a member that only counts up, or what returns one.
#ifndef SOCKEYE_COUNTER
#define SOCKEYE_COUNTER
#endif

namespace sockeye {

// What was counted from `before` to `now`; where that is less, 0, and one more in counter_anomalies().
uint64_t counted_between(uint64_t before, uint64_t now);

// How often counters did not fit together since the program started.
uint64_t counter_anomalies();

}  // namespace sockeye
