// SPDX-License-Identifier: Apache-2.0
// What is mounted where, as /proc/PID/mountinfo says (proc(5)).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sockeye {

struct Mount {
  uint64_t id = 0;
  std::string root;          // which part of the file system is mounted
  std::string point;         // where, seen from the root directory of the process whose mountinfo it is
  std::string_view type;     // of the file system
  std::string_view options;  // of the file system, not of the mount: "rw,memory"
};

// Calls `visit` with each whole line of `text`: a last one without its end has been cut. What is no mount is passed
// over.
void for_each_mount(std::string_view text, const std::function<void(const Mount&)>& visit);

// Of a mountinfo more is not read: thousands of containers, each with a long overlay line.
inline constexpr size_t kMaxMountinfo = size_t{16} << 20;

}  // namespace sockeye
