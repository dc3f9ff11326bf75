// SPDX-License-Identifier: Apache-2.0
// What a sink makes of records, as a string.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "event/record.h"
#include "event/sink.h"

namespace sockeye {

// With FixedClock, in UTC. `batch`: the sink gets so many records at a time.
std::string rendered(std::span<const Record> records, const SinkOptions& options, size_t batch = SIZE_MAX);

// Records of events of one type; `events` have to stay where they are.
template <typename Event>
std::vector<Record> records_of(const std::vector<Event>& events, const EventType& type,
                               const Context* context = nullptr) {
  std::vector<Record> records;
  for (const Event& event : events) {
    records.push_back({reinterpret_cast<const event_header*>(&event), &type, context, false});
  }
  return records;
}

}  // namespace sockeye
