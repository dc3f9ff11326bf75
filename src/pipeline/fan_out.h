// SPDX-License-Identifier: Apache-2.0
// Where the events of a run go, and what did not get there. An event that did not reach every output is lost, and is
// counted once, however many outputs lost it. Every output is told of it by a gap event: one that has lost lines
// before anything else, as soon as it takes lines again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/counter.h"
#include "event/loss.h"
#include "event/sink.h"

namespace sockeye {

gap_event gap_of(LossReason reason, uint64_t lost, uint64_t from_ns, uint64_t to_ns);

class FanOut {
 public:
  // The sinks are not owned.
  explicit FanOut(const std::vector<Sink*>& sinks);

  // Events, to every sink.
  void write(std::span<const Event> events, const WallTime& wall);
  // Events that no sink gets: they are lost.
  void leave_out(std::span<const Event> events);
  // An event of the run itself: gap, end. What is lost of these is no event.
  void tell(const Event& event, const WallTime& wall);

  // A second has passed; the run is over. Sinks that hold events back write them.
  void tick(const WallTime& wall);
  void close(const end_event& end, const Losses& losses, const WallTime& wall);

  // Events that are known by now not to have reached every sink.
  SOCKEYE_COUNTER uint64_t not_written() const { return lost_.size(); }

  bool is_closed() const;       // nobody reads standard output any more
  bool all_are_closed() const;  // and there is no other output

  template <typename Do>
  void each_output(Do each) {
    for (Outlet& outlet : fan_out_) each(outlet.sink->output());
  }

 private:
  struct Outlet {
    Sink* sink;
    uint64_t skipped = 0;  // events that it did not get, as the gap event before them could not be written
    uint64_t told = 0;     // of lost_, as its gap events say
    uint64_t from_ns = 0;  // when the first of those happened that it has not been told of
    bool takes = true;     // what is being written
  };

  static bool nobody_reads(const Outlet& outlet);
  void begin(uint64_t from_ns, uint64_t to_ns);
  EventRange hand_over(std::span<const Event> events);
  void collect(Outlet& outlet);
  void lose(EventRange range);
  bool tell_losses(Outlet& outlet, const WallTime& wall);

  std::vector<Outlet> fan_out_;
  EventSet lost_;
  uint64_t handed_over_ = 0;          // events
  uint64_t from_ns_ = 0, to_ns_ = 0;  // of what is being written
  uint64_t lost_by_ns_ = 0;           // of what was lost last
};

}  // namespace sockeye
