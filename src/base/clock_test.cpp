// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/fake_root_for_tests.h"

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

// A process in a time namespace, as /proc shows it; `children`: the one that its children get.
class TimeNamespace {
 public:
  explicit TimeNamespace(const std::string& offsets, bool children_elsewhere = false) {
    root.file("/proc/self/timens_offsets", offsets);
    root.file("/proc/self/ns/time", "");
    const std::string children = root.path() + "/proc/self/ns/time_for_children";
    if (children_elsewhere)
      root.file("/proc/self/ns/time_for_children", "");
    else
      std::filesystem::create_hard_link(root.path() + "/proc/self/ns/time", children);
  }
  int64_t offset() const { return time_namespace_offset_ns(root.path()); }
  const FakeRoot root;
};

TEST(TimeNamespaceOffset, IsThatOfTheBootClock) {
  EXPECT_EQ(TimeNamespace("monotonic           1         2\nboottime       864000         5\n").offset(),
            864'000'000'000'005);
  EXPECT_EQ(TimeNamespace("monotonic 0 0\nboottime -301 700000000\n").offset(), -300'300'000'000);
  EXPECT_EQ(TimeNamespace("1 77 0\n7 864000 0\n").offset(), 864'000'000'000'000) << "before 5.9";
  EXPECT_EQ(TimeNamespace("monotonic 0 0\nboottime 0 0\n").offset(), 0);
}

TEST(TimeNamespaceOffset, IsNoneWhereItCannotBeTold) {
  EXPECT_EQ(TimeNamespace("boottime 864000 0\n", true).offset(), 0) << "of children";
  for (const char* text : {"", "\n", "boottime", "boottime x 0\n", "boottime 1\n", "monotonic 5 0\n", "\n\nbootti"}) {
    EXPECT_EQ(TimeNamespace(text).offset(), 0) << text;
  }
  EXPECT_EQ(time_namespace_offset_ns("/nowhere"), 0);
}

}  // namespace
}  // namespace sockeye
