// SPDX-License-Identifier: Apache-2.0
// Some events with the bytes they point to: what a source hands on at a time. Reused, never grown.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "event/event.h"

namespace sockeye {

class Batch {
 public:
  explicit Batch(size_t bytes = 512 * 1024);

  // Copies an event in; false: no room, nothing was done.
  bool add(const event_header* header, size_t size, const EventType* type);
  bool has_room_for(size_t size) const { return capacity_ - used_ >= ((size + 7) & ~size_t{7}); }
  void clear();
  // The bytes of an event of this batch, to be added to.
  std::byte* bytes_of(const Event& event) {
    return bytes_.get() + (reinterpret_cast<const std::byte*>(event.header) - bytes_.get());
  }

  // By time; equal times stay in order. Nearly sorted as it comes: the ring is in order of reservation.
  // Events before `horizon_ns` are marked late. Returns the new horizon: the largest time seen.
  uint64_t sort(uint64_t horizon_ns);

  std::vector<Event>& events() { return events_; }
  const std::vector<Event>& events() const { return events_; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  size_t capacity_;
  size_t used_ = 0;
  std::vector<Event> events_;
};

}  // namespace sockeye
