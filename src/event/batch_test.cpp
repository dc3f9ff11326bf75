// SPDX-License-Identifier: Apache-2.0
#include "event/batch.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

event_header at(uint64_t time_ns) { return {.kind = 1, .size = sizeof(event_header), .cpu = 0, .time_ns = time_ns}; }

std::vector<uint64_t> times(const Batch& batch) {
  std::vector<uint64_t> out;
  for (const Event& event : batch.events()) out.push_back(event.header->time_ns);
  return out;
}

TEST(Batch, SortsByTimeAndMarksWhatComesAfterItsTime) {
  Batch batch(1024);
  for (const uint64_t time : {50, 20, 40, 30}) {
    const event_header header = at(time);
    ASSERT_TRUE(batch.add(&header, sizeof header, nullptr));
  }
  EXPECT_EQ(batch.sort(25), 50u);
  EXPECT_EQ(times(batch), (std::vector<uint64_t>{20, 30, 40, 50}));
  EXPECT_TRUE(batch.events()[0].late);
  EXPECT_FALSE(batch.events()[1].late);
}

TEST(Batch, KeepsTheOrderOfEqualTimes) {
  Batch batch(1024);
  for (uint32_t cpu = 0; cpu < 3; ++cpu) {
    event_header header = at(7);
    header.cpu = cpu;
    batch.add(&header, sizeof header, nullptr);
  }
  batch.sort(0);
  for (uint32_t cpu = 0; cpu < 3; ++cpu) EXPECT_EQ(batch.events()[cpu].header->cpu, cpu);
}

TEST(Batch, RefusesWhatDoesNotFitAndCanBeReused) {
  Batch batch(64);
  const event_header header = at(1);
  int added = 0;
  while (batch.add(&header, sizeof header, nullptr)) ++added;
  EXPECT_EQ(added, 4);
  EXPECT_FALSE(batch.has_room_for(1));
  batch.clear();
  EXPECT_TRUE(batch.events().empty());
  EXPECT_TRUE(batch.has_room_for(64));
}

TEST(Batch, AnEmptyOneKeepsTheHorizon) {
  Batch batch(64);
  EXPECT_EQ(batch.sort(99), 99u);
}

}  // namespace
}  // namespace sockeye
