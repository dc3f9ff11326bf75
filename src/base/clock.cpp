// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>
#include <string_view>

#include "base/read_file.h"

namespace sockeye {
namespace {

constexpr int64_t kTolerance = 1'000'000;

int64_t read_clock(clockid_t id) {
  timespec now;
  clock_gettime(id, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// Blanks and a number, taken off `text`.
std::optional<int64_t> take_number(std::string_view* text) {
  text->remove_prefix(std::min(text->find_first_not_of(' '), text->size()));
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return number;
}

// The file tells the offsets of the namespace that children get. On older kernels exec() does not lead there: what
// `unshare -T` runs is where its parent was.
bool has_offsets_of_children(const std::string& process) {
  struct stat own, children;
  return stat((process + "/ns/time").c_str(), &own) == 0 &&
         stat((process + "/ns/time_for_children").c_str(), &children) == 0 && own.st_ino == children.st_ino;
}

}  // namespace

// "boottime 864000 0": seconds and nanoseconds. Before 5.9 clocks are told by number.
int64_t time_namespace_offset_ns(const std::string& root) {
  const std::string process = root + "/proc/self";
  const auto offsets = read_file(AT_FDCWD, process + "/timens_offsets", 256);
  if (!offsets || !has_offsets_of_children(process)) return 0;
  for (std::string_view rest = *offsets; !rest.empty();
       rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1)) {
    const std::string_view clock = rest.substr(0, rest.find(' '));
    if (clock != "boottime" && clock != std::to_string(CLOCK_BOOTTIME)) continue;
    std::string_view numbers = rest.substr(clock.size());
    const auto seconds = take_number(&numbers), nanoseconds = take_number(&numbers);
    return seconds && nanoseconds ? *seconds * 1'000'000'000 + *nanoseconds : 0;
  }
  return 0;
}

uint64_t SystemClock::boot_ns() const {
  static const int64_t ahead = time_namespace_offset_ns();
  return static_cast<uint64_t>(read_clock(CLOCK_BOOTTIME) - ahead);
}
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
  tzset();
  const int64_t offset = clock_.offset_ns();
  int64_t change = 0;
  const bool is_huge = __builtin_sub_overflow(offset, offset_ns_, &change);
  if (is_huge || change > kTolerance || change < -kTolerance) offset_ns_ = offset;
}

}  // namespace sockeye
