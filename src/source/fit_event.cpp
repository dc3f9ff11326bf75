// SPDX-License-Identifier: Apache-2.0
#include "source/fit_event.h"

#include <algorithm>
#include <cstring>

namespace sockeye {
namespace {

bool is_list(const Field& field) { return field.type == FieldType::kList; }

// Where a list begins, moved with the end of the struct; one that ends up outside the event is not read.
void move_lists(const EventType& type, std::byte* event, ptrdiff_t by) {
  for (const Field& field : type.own) {
    if (!is_list(field)) continue;
    std::byte* at = event + field.offset + offsetof(wire_list, at);
    const auto moved = static_cast<uint16_t>(integer_at<uint16_t>(reinterpret_cast<const uint8_t*>(at)) + by);
    memcpy(at, &moved, sizeof moved);
  }
}

}  // namespace

size_t fit_event(std::span<const std::byte> recorded, size_t recorded_struct, const EventType& type,
                 std::span<std::byte, kLongestEvent> room) {
  const bool has_lists = std::any_of(type.own.begin(), type.own.end(), is_list);
  const std::span<const std::byte> fixed =
      has_lists ? recorded.first(std::min(recorded.size(), recorded_struct)) : recorded;
  const std::span<const std::byte> tail = recorded.subspan(fixed.size());
  const size_t known = std::min<size_t>(fixed.size(), type.size);
  memcpy(room.data(), fixed.data(), known);
  memset(room.data() + known, 0, type.size - known);
  if (tail.empty() || tail.size() > room.size() - type.size) return type.size;
  memcpy(room.data() + type.size, tail.data(), tail.size());
  move_lists(type, room.data(), static_cast<ptrdiff_t>(type.size) - static_cast<ptrdiff_t>(recorded_struct));
  return type.size + tail.size();
}

}  // namespace sockeye
