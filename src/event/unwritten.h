// SPDX-License-Identifier: Apache-2.0
// What an output did not take: which events, so that one that two outputs lost is counted once.
#pragma once

#include <cstdint>
#include <vector>

#include "event/event.h"

namespace sockeye {

// Events by their numbers, from `first` up to `end`, which is not among them.
struct EventRange {
  uint64_t first;
  uint64_t end;
};

struct Unwritten {
  std::vector<EventRange> events;  // numbered from 0 in the order in which a sink got them
  uint64_t told = 0;               // what gap events that were lost themselves said of unwritten events

  // Nothing is allocated where nothing was lost.
  void add(uint64_t first, uint64_t end);
};

bool is_observed(const Event& event);  // no gap event, no end event
// How many unwritten events a gap event tells of; of any other event 0.
uint64_t unwritten_told_by(const Event& event);

// A set of events, by number.
class EventSet {
 public:
  void add(EventRange range);
  uint64_t size() const { return size_; }
  // No event before this one will be added again: they are counted, and no longer kept.
  void forget_before(uint64_t number);

 private:
  std::vector<EventRange> ranges_;  // in order, none of which touches another
  uint64_t size_ = 0;
};

}  // namespace sockeye
