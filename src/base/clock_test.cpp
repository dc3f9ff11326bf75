// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

class FakeClock : public Clock {
 public:
  uint64_t boot_ns() const override { return boot; }
  int64_t wall_ns() const override { return wall; }
  uint64_t boot = 5'000'000'000;
  int64_t wall = 1'000'000'000'000'000'000;
};

TEST(WallTime, IsBootTimePlusTheDifference) {
  const FakeClock clock;
  const WallTime wall(clock);
  EXPECT_EQ(wall.of(5'000'000'001), 1'000'000'000'000'000'001);
  EXPECT_EQ(wall.of(4'000'000'000), 999'999'999'000'000'000);
}

TEST(WallTime, FollowsAClockThatWasSetButDoesNotJitter) {
  FakeClock clock;
  WallTime wall(clock);
  clock.wall += 900'000;
  wall.recheck();
  EXPECT_EQ(wall.of(5'000'000'000), 1'000'000'000'000'000'000);
  clock.wall += 3'600'000'000'000;
  wall.recheck();
  EXPECT_EQ(wall.of(5'000'000'000), 1'000'000'000'000'000'000 + 3'600'000'900'000);
}

}  // namespace
}  // namespace sockeye
