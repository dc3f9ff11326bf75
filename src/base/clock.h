// SPDX-License-Identifier: Apache-2.0
// From the kernel's boot-time clock, which records carry, to the wall clock, which people read.
#pragma once

#include <cstdint>

namespace sockeye {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual uint64_t boot_ns() const = 0;  // CLOCK_BOOTTIME now
  virtual int64_t wall_ns() const = 0;   // CLOCK_REALTIME now, since the epoch
};

// The machine's own clocks.
class SystemClock : public Clock {
 public:
  uint64_t boot_ns() const override;
  int64_t wall_ns() const override;
};

// Wall time of a boot time. The difference is taken once and checked again (the wall clock is slewed and set): it
// changes only where it is more than a millisecond off, so that times in a stream do not jitter.
class WallTime {
 public:
  explicit WallTime(const Clock& clock);
  void recheck();
  int64_t of(uint64_t boot_ns) const { return static_cast<int64_t>(boot_ns) + offset_ns_; }

 private:
  int64_t measure() const;

  const Clock& clock_;
  int64_t offset_ns_;
};

}  // namespace sockeye
