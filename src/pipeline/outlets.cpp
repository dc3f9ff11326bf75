// SPDX-License-Identifier: Apache-2.0
#include "pipeline/outlets.h"

#include <algorithm>
#include <cstdint>

#include "base/counter.h"

namespace sockeye {

gap_event gap_of(LossReason reason, uint64_t lost, uint64_t from_ns, uint64_t to_ns) {
  return {
      .header = {.kind = GAP_KIND, .size = sizeof(gap_event), .cpu = 0, .time_ns = to_ns},
      .from_ns = from_ns,
      .lost = lost,
      .stage = static_cast<uint8_t>(reason),
      .reason = static_cast<uint8_t>(reason),
      ._pad = {},
  };
}

Outlets::Outlets(const std::vector<Sink*>& sinks) {
  for (Sink* sink : sinks) outlets_.push_back({.sink = sink});
}

uint64_t Outlets::write(std::span<const Record> events, const WallTime& wall) {
  uint64_t most = events.size();
  for (Outlet& outlet : outlets_) {
    uint64_t& lost = outlet.lost_now;
    lost = events.size();
    if (pay(outlet, wall)) {
      const uint64_t before = outlet.sink->output().lost_lines();
      outlet.sink->write(events, wall);
      lost = counted_between(before, outlet.sink->output().lost_lines());
      if (outlet.sink->holds_back()) {
        most = std::max(most, lost);
      } else {
        lost = std::min<uint64_t>(events.size(), lost);  // headers of a table are lines, too
      }
    }
  }
  if (events.empty()) return 0;  // headers
  return tell_of_losses(most, events.front().header->time_ns, events.back().header->time_ns, wall);
}

uint64_t Outlets::tick(const WallTime& wall) {
  for (Outlet& outlet : outlets_) {
    const uint64_t before = outlet.sink->output().lost_lines();
    outlet.sink->tick(wall);
    outlet.lost_now = counted_between(before, outlet.sink->output().lost_lines());
  }
  return tell_of_losses(UINT64_MAX, wall.boot_ns(), wall.boot_ns(), wall);
}

uint64_t Outlets::close(const end_event& end, const Losses& losses, const WallTime& wall) {
  uint64_t lost = 0;
  for (Outlet& outlet : outlets_) {
    const uint64_t before = outlet.sink->output().lost_lines();
    outlet.sink->close(end, losses, wall);
    lost += counted_between(before, outlet.sink->output().lost_lines());
  }
  return lost;
}

void Outlets::owe(Outlet& outlet, uint64_t from_ns, uint64_t to_ns) {
  if (outlet.owed.lost > 0) from_ns = outlet.owed.from_ns;
  outlet.owed = gap_of(LossReason::kWriteFailed, outlet.owed.lost + outlet.lost_now, from_ns, to_ns);
}

// Of what each outlet lost just now, `at_most` in all: to itself as soon as it takes lines, to the others at once.
uint64_t Outlets::tell_of_losses(uint64_t at_most, uint64_t from_ns, uint64_t to_ns, const WallTime& wall) {
  uint64_t sum = 0;
  for (Outlet& outlet : outlets_) {
    if (outlet.lost_now > 0) owe(outlet, from_ns, to_ns);
    sum += outlet.lost_now;
  }
  if (sum == 0) return 0;
  sum = std::min(sum, at_most);
  const gap_event gap = gap_of(LossReason::kWriteFailed, sum, from_ns, to_ns);
  const Record record{.header = &gap.header, .type = &kGapType};
  for (Outlet& outlet : outlets_) {
    if (outlet.lost_now > 0) {
      pay(outlet, wall);
    } else {
      outlet.sink->write({&record, 1}, wall);
    }
  }
  return sum;
}

void Outlets::tell(const Record& record, const WallTime& wall) {
  for (Outlet& outlet : outlets_) {
    if (pay(outlet, wall)) outlet.sink->write({&record, 1}, wall);
  }
}

// Tells a sink what it owes to its readers; false: its output still takes nothing.
bool Outlets::pay(Outlet& outlet, const WallTime& wall) {
  if (outlet.owed.lost == 0) return true;
  const gap_event gap = outlet.owed;
  const Record record{.header = &gap.header, .type = &kGapType};
  const uint64_t before = outlet.sink->output().lost_lines();
  outlet.sink->write({&record, 1}, wall);
  if (outlet.sink->output().lost_lines() != before) return false;
  outlet.owed = {};
  return true;
}

bool Outlets::is_closed() const {
  return std::any_of(outlets_.begin(), outlets_.end(),
                     [](const Outlet& outlet) { return outlet.sink->output().is_closed(); });
}

}  // namespace sockeye
