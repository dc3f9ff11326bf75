// SPDX-License-Identifier: Apache-2.0
#include "event/batch.h"

#include <algorithm>
#include <cstring>

namespace sockeye {

Batch::Batch(size_t bytes) : bytes_(new std::byte[bytes]), capacity_(bytes) {
  events_.reserve(bytes / sizeof(event_header));
}

bool Batch::add(const event_header* header, size_t size, const EventType* type) {
  if (!has_room_for(size)) return false;
  std::byte* at = bytes_.get() + used_;
  memcpy(at, header, size);
  used_ += (size + 7) & ~size_t{7};
  events_.push_back({.header = reinterpret_cast<const event_header*>(at), .type = type});
  return true;
}

void Batch::clear() {
  used_ = 0;
  events_.clear();
}

uint64_t Batch::sort(uint64_t horizon_ns) {
  for (size_t i = 1; i < events_.size(); ++i) {  // insertion: few are out of place, and not far
    const Event event = events_[i];
    size_t j = i;
    for (; j > 0 && events_[j - 1].header->time_ns > event.header->time_ns; --j) events_[j] = events_[j - 1];
    events_[j] = event;
  }
  for (Event& event : events_) {
    if (event.header->time_ns >= horizon_ns) break;
    event.late = true;
  }
  return events_.empty() ? horizon_ns : std::max<uint64_t>(horizon_ns, events_.back().header->time_ns);
}

}  // namespace sockeye
