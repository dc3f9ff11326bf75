// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <ctime>

namespace sockeye {
namespace {

constexpr int64_t kTolerance = 1'000'000;

int64_t read_clock(clockid_t id) {
  timespec now;
  clock_gettime(id, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

}  // namespace

uint64_t SystemClock::boot_ns() const { return static_cast<uint64_t>(read_clock(CLOCK_BOOTTIME)); }
int64_t SystemClock::wall_ns() const { return read_clock(CLOCK_REALTIME); }

// Between two readings of the boot clock stands one of the wall clock: it belongs to their middle.
int64_t Clock::offset_ns() const {
  const int64_t before = static_cast<int64_t>(boot_ns());
  const int64_t wall = wall_ns();
  const int64_t after = static_cast<int64_t>(boot_ns());
  return wall - (before + after) / 2;
}

WallTime::WallTime(const Clock& clock) : clock_(clock), offset_ns_(clock.offset_ns()) {}

void WallTime::recheck() {
  const int64_t offset = clock_.offset_ns();
  int64_t change = 0;
  const bool is_huge = __builtin_sub_overflow(offset, offset_ns_, &change);
  if (is_huge || change > kTolerance || change < -kTolerance) offset_ns_ = offset;
}

}  // namespace sockeye
