// SPDX-License-Identifier: Apache-2.0
// Where the records of a run go, and what did not get there. An output that has lost lines gets the gap record that
// says so before anything else, as soon as it takes lines again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "event/loss.h"
#include "event/sink.h"

namespace sockeye {

gap_event gap_of(LossReason reason, uint64_t lost, uint64_t from_ns, uint64_t to_ns);

class Outlets {
 public:
  // The sinks are not owned.
  explicit Outlets(const std::vector<Sink*>& sinks);

  // Events, to every sink: how many did not reach all of them. Where two outputs fail at once, which events each of
  // them lost is not known, and as many as possible are counted. The gap is told to all sinks.
  uint64_t write(std::span<const Record> events, const WallTime& wall);
  // A record of the run itself: gap, end. What is lost of these is no event.
  void tell(const Record& record, const WallTime& wall);

  // A second has passed; the run is over. Sinks that hold records back write them: how many could not be written.
  uint64_t tick(const WallTime& wall);
  uint64_t close(const end_event& end, const Losses& losses, const WallTime& wall);

  bool is_closed() const;  // somebody stopped reading

  template <typename Do>
  void each_output(Do each) {
    for (Outlet& outlet : outlets_) each(outlet.sink->output());
  }

 private:
  struct Outlet {
    Sink* sink;
    gap_event owed = {};    // of it `lost` is 0: nothing
    uint64_t lost_now = 0;  // of what is being written
  };

  static bool pay(Outlet& outlet, const WallTime& wall);
  static void owe(Outlet& outlet, uint64_t from_ns, uint64_t to_ns);
  uint64_t tell_of_losses(uint64_t at_most, uint64_t from_ns, uint64_t to_ns, const WallTime& wall);

  std::vector<Outlet> outlets_;
};

}  // namespace sockeye
