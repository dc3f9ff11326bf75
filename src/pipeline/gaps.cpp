// SPDX-License-Identifier: Apache-2.0
#include "pipeline/gaps.h"

#include <algorithm>

#include "base/counter.h"
#include "pipeline/fan_out.h"

namespace sockeye {

void Gaps::look(const Losses& losses, uint64_t now_ns) {
  for (size_t i = 0; i < kLossReasons; ++i) {
    const uint64_t more = counted_between(losses_.count[i], losses.count[i]);
    if (more == 0) continue;
    const uint64_t to_ns = losses.to_ns[i] != 0 ? losses.to_ns[i] : now_ns;
    const uint64_t from_ns = losses.from_ns[i] != 0 ? losses.from_ns[i] : std::min(looked_ns_, to_ns);
    const gap_event gap = gap_of(static_cast<LossReason>(i), more, std::min(from_ns, to_ns), to_ns);
    const auto place = std::upper_bound(waiting_.begin(), waiting_.end(), to_ns,
                                        [](uint64_t time, const gap_event& g) { return time < g.header.time_ns; });
    waiting_.insert(place, gap);
  }
  losses_ = losses;
  looked_ns_ = now_ns;
}

}  // namespace sockeye
