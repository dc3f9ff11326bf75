// SPDX-License-Identifier: Apache-2.0
// What an iterator's file may hold: whole events, one after the other, and anything else.
#include "source/iterator_source.h"

#include <gtest/gtest.h>

#include <cstring>

#include "event/collector.h"

namespace sockeye {
namespace {

const EventType& any_type() { return collectors().front()->event; }

std::vector<std::byte> event_of(size_t said, size_t given) {
  const event_header header = {.kind = any_type().kind, .size = static_cast<uint16_t>(said), .cpu = 0, .time_ns = 1};
  std::vector<std::byte> bytes(given);
  memcpy(bytes.data(), &header, std::min(given, sizeof header));
  return bytes;
}

size_t first(const std::vector<std::byte>& bytes) {
  const EventType* type = nullptr;
  return first_event(bytes, type);
}

TEST(FirstEvent, IsTakenWhereItIsWhole) {
  const size_t size = any_type().size;
  const EventType* type = nullptr;
  EXPECT_EQ(first_event(event_of(size, size), type), size);
  EXPECT_EQ(type, &any_type());
  EXPECT_EQ(first(event_of(size, size * 3)), size);
  EXPECT_EQ(first(event_of(size + 8, size + 8)), size + 8u) << "a newer kernel side's";
}

TEST(FirstEvent, IsNoneWhereItIsNot) {
  const size_t size = any_type().size;
  EXPECT_EQ(first({}), 0u);
  EXPECT_EQ(first(event_of(size, sizeof(event_header) - 1)), 0u) << "less than a header";
  EXPECT_EQ(first(event_of(size, size - 1)), 0u) << "cut off";
  EXPECT_EQ(first(event_of(size - 1, size)), 0u) << "shorter than its kind";
  EXPECT_EQ(first(event_of(0, size)), 0u);
  EXPECT_EQ(first(event_of(65535, 65535)), 0u) << "longer than any";
  std::vector<std::byte> unknown = event_of(size, size);
  unknown[0] = unknown[1] = std::byte{0xff};
  EXPECT_EQ(first(unknown), 0u) << "of no kind";
}

}  // namespace
}  // namespace sockeye
