// SPDX-License-Identifier: Apache-2.0
#include "pipeline/fan_out.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

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

FanOut::FanOut(const std::vector<Sink*>& sinks) {
  constexpr std::chrono::milliseconds kPatience(100);  // with a reader, while other outputs wait
  for (Sink* sink : sinks) {
    fan_out_.push_back({.sink = sink});
    if (sinks.size() > 1) sink->output().wait_at_most(kPatience);
  }
}

// Returns their numbers.
EventRange FanOut::hand_over(std::span<const Event> events) {
  const EventRange numbers{handed_over_, handed_over_ + events.size()};
  handed_over_ = numbers.end;
  if (!events.empty()) begin(events.front().header->time_ns, events.back().header->time_ns);
  return numbers;
}

void FanOut::leave_out(std::span<const Event> events) {
  lose(hand_over(events));
  for (Outlet& outlet : fan_out_) outlet.skipped += events.size();
}

void FanOut::write(std::span<const Event> events, const WallTime& wall) {
  const EventRange numbers = hand_over(events);
  for (Outlet& outlet : fan_out_) outlet.takes = tell_losses(outlet, wall);
  for (Outlet& outlet : fan_out_) {
    if (outlet.takes) {
      outlet.sink->write(events, wall);
      collect(outlet);
    } else {
      lose(numbers);
      outlet.skipped += events.size();
    }
  }
  for (Outlet& outlet : fan_out_) tell_losses(outlet, wall);
}

void FanOut::tick(const WallTime& wall) {
  begin(wall.boot_ns(), wall.boot_ns());
  for (Outlet& outlet : fan_out_) {
    outlet.sink->tick(wall);
    collect(outlet);
  }
  lost_.forget_before(handed_over_);  // nothing is held back any more
  for (Outlet& outlet : fan_out_) tell_losses(outlet, wall);
}

void FanOut::close(const end_event& end, const Losses& losses, const WallTime& wall) {
  for (Outlet& outlet : fan_out_) {
    outlet.sink->close(end, losses, wall);
    collect(outlet);
  }
}

void FanOut::tell(const Event& event, const WallTime& wall) {
  for (Outlet& outlet : fan_out_) {
    if (!tell_losses(outlet, wall)) continue;
    outlet.sink->write({&event, 1}, wall);
    collect(outlet);
  }
}

// When what is lost from here on happened.
void FanOut::begin(uint64_t from_ns, uint64_t to_ns) {
  from_ns_ = from_ns;
  to_ns_ = to_ns;
}

// What the sink has found not to be written. A gap event that was lost has told nobody.
void FanOut::collect(Outlet& outlet) {
  const Unwritten unwritten = outlet.sink->take_unwritten();
  for (const EventRange& range : unwritten.events) {
    lose({range.first + outlet.skipped, range.end + outlet.skipped});
  }
  outlet.told -= unwritten.told;
}

void FanOut::lose(EventRange range) {
  if (range.first == range.end) return;
  const uint64_t before = lost_.size();
  lost_.add(range);
  if (lost_.size() == before) return;
  lost_by_ns_ = to_ns_;
  for (Outlet& outlet : fan_out_) {
    if (outlet.told == before) outlet.from_ns = from_ns_;
  }
}

// False: its output takes nothing. What a sink holds back it takes; if it loses that, it says so later.
bool FanOut::tell_losses(Outlet& outlet, const WallTime& wall) {
  if (outlet.sink->output().has_given_up() && !outlet.sink->holds_back()) return false;
  const uint64_t due = lost_.size();
  if (outlet.told == due) return true;
  const gap_event gap = gap_of(LossReason::kWriteFailed, due - outlet.told, outlet.from_ns, lost_by_ns_);
  const Event event{.header = &gap.header, .type = &kGapType};
  outlet.told = due;
  outlet.sink->write({&event, 1}, wall);
  collect(outlet);
  return outlet.sink->holds_back() || outlet.told == due;
}

bool FanOut::is_closed() const { return std::any_of(fan_out_.begin(), fan_out_.end(), nobody_reads); }

bool FanOut::all_are_closed() const { return std::all_of(fan_out_.begin(), fan_out_.end(), nobody_reads); }

bool FanOut::nobody_reads(const Outlet& outlet) { return outlet.sink->output().is_closed(); }

}  // namespace sockeye
