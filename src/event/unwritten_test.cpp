// SPDX-License-Identifier: Apache-2.0
#include "event/unwritten.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sockeye {
namespace {

TEST(Unwritten, RangesThatTouchAreOne) {
  Unwritten unwritten;
  unwritten.add(3, 3);
  unwritten.add(3, 5);
  unwritten.add(5, 6);
  unwritten.add(8, 9);
  ASSERT_EQ(unwritten.events.size(), 2u);
  EXPECT_EQ(unwritten.events[0].first, 3u);
  EXPECT_EQ(unwritten.events[0].end, 6u);
}

TEST(EventSet, AnEventIsCountedOnceWhateverOverlaps) {
  EventSet events;
  events.add({10, 20});
  events.add({15, 25});
  EXPECT_EQ(events.size(), 15u);
  events.add({0, 5});
  events.add({5, 10});  // touches both
  EXPECT_EQ(events.size(), 25u);
  events.add({3, 22});  // nothing new
  EXPECT_EQ(events.size(), 25u);
  events.forget_before(25);
  EXPECT_EQ(events.size(), 25u);
  events.add({24, 30});
  EXPECT_EQ(events.size(), 31u) << "what was forgotten is not known any more";
}

TEST(EventSet, IsTheSetOfAllThatWereAdded) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    EventSet events;
    std::set<uint64_t> truth;
    for (int i = 0; i < 20; ++i) {
      const uint64_t first = random() % 60, end = first + 1 + random() % 15;
      events.add({first, end});
      for (uint64_t number = first; number < end; ++number) truth.insert(number);
      ASSERT_EQ(events.size(), truth.size());
    }
  }
}

}  // namespace
}  // namespace sockeye
