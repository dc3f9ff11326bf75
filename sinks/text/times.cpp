// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/times.h"

#include <ctime>
#include <utility>

#include "base/text.h"

namespace sockeye::text {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

void add_seconds(Buffer& out, uint64_t ns) {
  out.add_number(ns / kSecond);
  out.add('.');
  add_padded(out, ns % kSecond / 1000, 6);
}

}  // namespace

void SecondText::add(Buffer& out, int64_t wall_ns) {
  const SplitTime time = split_time(wall_ns);
  if (time.seconds != second_) {
    const time_t seconds = time.seconds;
    tm parts;
    localtime_r(&seconds, &parts);
    length_ = strftime(text_, sizeof text_, pattern_, &parts);
    second_ = time.seconds;
  }
  out.add_first(text_, length_);
  out.add('.');
  add_padded(out, time.nanoseconds / 1'000'000, 3);
}

TimeText::TimeText(TimeStyle style)
    : style_(style), second_(style == TimeStyle::kDate ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S") {}

std::string_view TimeText::header() const {
  switch (style_) {
    case TimeStyle::kUnix: return "UNIX_S";
    case TimeStyle::kBoot: return "BOOT_S";
    case TimeStyle::kDelta: return "DELTA_S";
    default: return "TIME";
  }
}

int TimeText::width() const {
  switch (style_) {
    case TimeStyle::kNone: return 0;
    case TimeStyle::kTime: return 12;
    case TimeStyle::kDate: return 23;
    case TimeStyle::kRfc3339: return 30;
    case TimeStyle::kUnix: return 17;
    case TimeStyle::kDelta: return 11;
    case TimeStyle::kBoot: return 14;
  }
  return 0;
}

bool TimeText::is_number() const {
  return style_ == TimeStyle::kUnix || style_ == TimeStyle::kDelta || style_ == TimeStyle::kBoot;
}

void TimeText::add(Buffer& out, uint64_t boot_ns, const WallTime& wall) {
  const uint64_t before_ns = std::exchange(before_ns_, boot_ns);
  switch (style_) {
    case TimeStyle::kNone: return;
    case TimeStyle::kTime:
    case TimeStyle::kDate: return second_.add(out, wall.of(boot_ns));
    case TimeStyle::kRfc3339: return add_rfc3339(out, wall.of(boot_ns));
    case TimeStyle::kUnix: {
      const int64_t ns = wall.of(boot_ns);
      if (ns < 0) out.add('-');
      return add_seconds(out, ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns));
    }
    case TimeStyle::kBoot: return add_seconds(out, boot_ns);
    case TimeStyle::kDelta:
      if (before_ns == 0) return out.add('-');
      if (boot_ns < before_ns) out.add('-');  // it came late
      return add_seconds(out, boot_ns < before_ns ? before_ns - boot_ns : boot_ns - before_ns);
  }
}

}  // namespace sockeye::text
