// SPDX-License-Identifier: Apache-2.0
// From the kernel's boot-time clock, which events carry, to the wall clock, which people read.
#pragma once

#include <cstdint>
#include <string>

namespace sockeye {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual uint64_t boot_ns() const = 0;  // CLOCK_BOOTTIME now, as in the initial time namespace
  virtual int64_t wall_ns() const = 0;   // CLOCK_REALTIME now, since the epoch
  // Wall time minus boot time, as well as the two can be read together.
  virtual int64_t offset_ns() const;
};

// What CLOCK_BOOTTIME of this process is ahead of the kernel's own, which events carry: in a time namespace
// (time_namespaces(7)), else 0. `root` stands for /: empty, but for tests.
int64_t time_namespace_offset_ns(const std::string& root = "");

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
  void recheck();  // the time zone as well: the machine may have been given another /etc/localtime
  // Wraps around where a time makes no sense, which anybody can write into a recording.
  int64_t of(uint64_t boot_ns) const { return static_cast<int64_t>(boot_ns + static_cast<uint64_t>(offset_ns_)); }
  int64_t offset_ns() const { return offset_ns_; }
  uint64_t boot_ns() const { return clock_.boot_ns(); }  // now

 private:
  const Clock& clock_;
  int64_t offset_ns_;
};

}  // namespace sockeye
