// SPDX-License-Identifier: Apache-2.0
#include "source/row_sweep.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace sockeye {
namespace {

struct Counted {
  event_header header;
  uint64_t sum;
  uint64_t most;
  uint32_t small;
  uint32_t first;
};

constexpr Field kFields[] = {
    {.name = "sum", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(Counted, sum), .fold = Fold::kSum},
    {.name = "most", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(Counted, most), .fold = Fold::kMax},
    {.name = "small", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(Counted, small), .fold = Fold::kSum},
    {.name = "first", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(Counted, first)},
};

TEST(FoldEvent, DoesAsEachFieldSays) {
  const EventType type{
      .name = "x", .kind = 99, .size = sizeof(Counted), .common = {}, .own = kFields, .columns = {}, .line = {}};
  Counted into = {.header = {.kind = 99}, .sum = 1, .most = 7, .small = 4'000'000'000, .first = 5};
  const Counted from = {.header = {.kind = 98}, .sum = uint64_t{1} << 40, .most = 6, .small = 5, .first = 9};
  fold_event(type, reinterpret_cast<std::byte*>(&into), reinterpret_cast<const std::byte*>(&from));
  EXPECT_EQ(into.sum, (uint64_t{1} << 40) + 1);
  EXPECT_EQ(into.most, 7u);
  EXPECT_EQ(into.small, 4'000'000'005u);
  EXPECT_EQ(into.first, 5u) << "and what lies behind a small one";
  EXPECT_EQ(into.header.kind, 99);
  set_number(kFields[2], reinterpret_cast<std::byte*>(&into), 3);
  EXPECT_EQ(into.small, 3u);
  EXPECT_EQ(into.first, 5u);
}

}  // namespace
}  // namespace sockeye
