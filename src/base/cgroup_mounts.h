// SPDX-License-Identifier: Apache-2.0
// Where the cgroup hierarchies are mounted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace sockeye {

struct CgroupMount {
  uint64_t id = 0;    // of the mount
  std::string point;  // directory it is mounted on
  std::string root;   // which cgroup of the hierarchy that directory is; "/" unless a part of it is mounted
};

struct CgroupMounts {
  std::optional<CgroupMount> v2;         // /sys/fs/cgroup, or /sys/fs/cgroup/unified in a hybrid hierarchy
  std::optional<CgroupMount> v1_memory;  // /sys/fs/cgroup/memory
  bool has_v1 = false;                   // any v1 hierarchy, with or without controllers
};

// Reads <root>/proc/self/mountinfo (format: proc(5)). Mounts that are hidden below others are passed over. Of several
// of a hierarchy the first that shows all of it is taken, else the first. Error: the file cannot be read. A hierarchy
// that is not mounted is not an error.
Result<CgroupMounts> find_cgroup_mounts(const std::string& root);

}  // namespace sockeye
