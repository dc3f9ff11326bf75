// SPDX-License-Identifier: Apache-2.0
// What a sink makes of events, as a string.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "event/sink.h"

namespace sockeye {

// With FixedClock, in UTC. `batch`: the sink gets so many events at a time.
std::string rendered(std::span<const Event> events, const SinkOptions& options, size_t batch = SIZE_MAX);

// The events of one type that were made as structs; `structs` have to stay where they are.
template <typename Struct>
std::vector<Event> events_of(const std::vector<Struct>& structs, const EventType& type,
                             const Context* context = nullptr) {
  std::vector<Event> events;
  for (const Struct& each : structs) {
    events.push_back({reinterpret_cast<const event_header*>(&each), &type, context, false});
  }
  return events;
}

// Every format that golden files have, by the ending of their names: json_v1 is JSON with the keys of version 1.
inline constexpr const char* kGoldenFormats[] = {"line", "table", "json", "json_v1"};
SinkOptions in_format(std::string_view ending);

}  // namespace sockeye
