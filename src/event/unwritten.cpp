// SPDX-License-Identifier: Apache-2.0
#include "event/unwritten.h"

#include <algorithm>

#include "event/loss.h"

namespace sockeye {

void Unwritten::add(uint64_t first, uint64_t end) {
  if (first == end) return;
  if (!events.empty() && events.back().end == first) {
    events.back().end = end;
  } else {
    events.push_back({first, end});
  }
}

bool is_observed(const Event& event) { return event.type != &kGapType && event.type != &kEndType; }

uint64_t unwritten_told_by(const Event& event) {
  if (event.type != &kGapType) return 0;
  const auto& gap = *reinterpret_cast<const gap_event*>(event.header);
  return gap.reason == static_cast<uint8_t>(LossReason::kWriteFailed) ? gap.lost : 0;
}

void EventSet::add(EventRange range) {
  const auto first =
      std::find_if(ranges_.begin(), ranges_.end(), [&](const EventRange& known) { return known.end >= range.first; });
  auto last = first;
  uint64_t merged = 0;  // of size_, what is in those that become one with the new one
  for (; last != ranges_.end() && last->first <= range.end; ++last) {
    merged += last->end - last->first;
    range = {std::min(range.first, last->first), std::max(range.end, last->end)};
  }
  size_ += range.end - range.first - merged;
  ranges_.insert(ranges_.erase(first, last), range);
}

void EventSet::forget_before(uint64_t number) {
  std::erase_if(ranges_, [number](const EventRange& range) { return range.end <= number; });
}

}  // namespace sockeye
