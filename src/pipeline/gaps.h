// SPDX-License-Identifier: Apache-2.0
// From counters that have risen to gap events, each at its place in the stream.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "event/loss.h"

namespace sockeye {

class Gaps {
 public:
  // `now_ns`: nothing was lost before the run. CLOCK_BOOTTIME, as all times here.
  explicit Gaps(uint64_t now_ns) : looked_ns_(now_ns) {}

  // What the source says was lost so far. A rise becomes a gap that waits; where the source does not know when it was,
  // it was since the last look.
  void look(const Losses& losses, uint64_t now_ns);

  // The source is about to be read: when it has no more, all that came before the gaps of now has been read.
  void begin_reading() { settled_ns_ = looked_ns_; }

  void end_reading() { settled_ns_ = std::numeric_limits<uint64_t>::max(); }  // nothing more will come

  // The first of those that wait, by the time at which all was lost; nullptr: there is none.
  const gap_event* first() const { return waiting_.empty() ? nullptr : &waiting_.front(); }
  // Whether it was there at begin_reading().
  bool first_is_settled() const { return first() && first()->header.time_ns <= settled_ns_; }
  void pop() { waiting_.erase(waiting_.begin()); }

  const Losses& losses() const { return losses_; }  // as of the last look

 private:
  Losses losses_;
  uint64_t looked_ns_;
  uint64_t settled_ns_ = 0;
  std::vector<gap_event> waiting_;  // by time
};

}  // namespace sockeye
