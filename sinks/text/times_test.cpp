// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/times.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>

namespace sockeye::text {
namespace {

// Boot time 0 is `wall_ns`.
class ClockAt : public Clock {
 public:
  explicit ClockAt(int64_t wall_ns) : wall_ns_(wall_ns) {}
  uint64_t boot_ns() const override { return 0; }
  int64_t wall_ns() const override { return wall_ns_; }

 private:
  int64_t wall_ns_;
};

std::string shown(TimeStyle style, int64_t wall_ns) {
  setenv("TZ", "UTC", 1);
  tzset();
  const ClockAt clock(wall_ns);
  Buffer out(1);
  TimeText(style).add(out, 0, WallTime(clock));
  return std::string(out.view());
}

TEST(Times, BeforeAndAfter1970) {
  EXPECT_EQ(shown(TimeStyle::kDate, 1'500'000'000), "1970-01-01 00:00:01.500");
  EXPECT_EQ(shown(TimeStyle::kDate, -1), "1969-12-31 23:59:59.999");
  EXPECT_EQ(shown(TimeStyle::kDate, -1'000'000'000), "1969-12-31 23:59:59.000");
  EXPECT_EQ(shown(TimeStyle::kRfc3339, -1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(shown(TimeStyle::kUnix, 1'500'000'000), "1.500000");
  EXPECT_EQ(shown(TimeStyle::kUnix, -1'500'000'000), "-1.500000");
  EXPECT_EQ(shown(TimeStyle::kUnix, INT64_MIN), "-9223372036.854775");
}

}  // namespace
}  // namespace sockeye::text
