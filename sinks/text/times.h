// SPDX-License-Identifier: Apache-2.0
// Times as people read them: local, as the time zone of the environment says, but for RFC 3339, which is UTC.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/buffer.h"
#include "base/clock.h"
#include "event/sink.h"

namespace sockeye::text {

// Local time of a second, remembered: most events of a batch share it. `pattern` is strftime's.
class SecondText {
 public:
  explicit SecondText(const char* pattern) : pattern_(pattern) {}
  void add(Buffer& out, int64_t wall_ns);  // with milliseconds

 private:
  const char* pattern_;
  int64_t second_ = INT64_MIN;  // that is none of a time in nanoseconds
  char text_[32];
  size_t length_ = 0;
};

// The times of a table, in one style.
class TimeText {
 public:
  explicit TimeText(TimeStyle style);

  std::string_view header() const;
  int width() const;
  bool is_number() const;  // seconds

  // What has no time before it has no kDelta: `-`.
  void add(Buffer& out, uint64_t boot_ns, const WallTime& wall);

 private:
  TimeStyle style_;
  SecondText second_;
  uint64_t before_ns_ = 0;  // 0: none
};

}  // namespace sockeye::text
