// SPDX-License-Identifier: Apache-2.0
#include "enrich/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/read_file.h"
#include "base/text.h"

namespace sockeye {
namespace {

constexpr size_t kMaxStat = 4096;
constexpr size_t kMaxStatus = 16384;
constexpr int kStartTimeField = 22;
constexpr uint64_t kNsPerSecond = 1'000'000'000;

// The name in field 2 may hold blanks and brackets: fields are counted from behind its last bracket.
std::optional<uint64_t> start_ticks(std::string_view stat) {
  const size_t bracket = stat.rfind(')');
  if (bracket == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(bracket + 1);
  for (int field = 2; field < kStartTimeField; ++field) {
    const size_t blank = stat.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    stat.remove_prefix(blank + 1);
  }
  return number_in<uint64_t>(stat.substr(0, stat.find_first_of(" \n")));
}

}  // namespace

Result<Fd> open_process(const std::string& root, uint32_t pid, uint64_t start_ns) {
  const std::string path = root + "/proc/" + std::to_string(pid);
  Fd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return Error{ErrorCode::kFailed, "cannot open " + path + ": " + errno_text(errno), ""};
  if (start_ns == 0) return directory;
  auto stat = read_file(directory.get(), "stat", kMaxStat);
  if (!stat) return std::move(stat.error());
  static const auto ahead = static_cast<uint64_t>(time_namespace_offset_ns());
  static const uint64_t ns_per_tick = kNsPerSecond / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto ticks = start_ticks(*stat);
  if (!ticks) return Error{ErrorCode::kFailed, "no start time in " + path + "/stat", ""};
  if (*ticks != (start_ns + ahead) / ns_per_tick)
    return Error{ErrorCode::kFailed, "process " + std::to_string(pid) + " has ended: its pid is another's now", ""};
  return directory;
}

Result<uint32_t> innermost_pid(const std::string& root, uint32_t pid, uint64_t start_ns) {
  auto directory = open_process(root, pid, start_ns);
  if (!directory) return std::move(directory.error());
  auto status = read_file(directory->get(), "status", kMaxStatus);
  if (!status) return std::move(status.error());
  // Preceded by a line end: the first line is the name, in which the kernel escapes line ends.
  constexpr std::string_view kKey = "\nNSpid:";
  std::string_view line = *status;
  const size_t at = line.find(kKey);
  if (at != std::string_view::npos) {
    line.remove_prefix(at + kKey.size());
    line = line.substr(0, line.find('\n'));
    const size_t last = line.find_last_of(" \t");
    if (const auto number = number_in<uint32_t>(line.substr(last == std::string_view::npos ? 0 : last + 1)))
      return *number;
  }
  return Error{ErrorCode::kFailed, "no NSpid in /proc/" + std::to_string(pid) + "/status", ""};
}

}  // namespace sockeye
