// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup_mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/mountinfo.h"
#include "base/read_file.h"

namespace sockeye {
namespace {

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const size_t end = std::min(options.find(','), options.size());
    if (options.substr(0, end) == wanted) return true;
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  return false;
}

void consider(std::optional<CgroupMount>* best, CgroupMount mount) {
  if (!*best || ((*best)->root != "/" && mount.root == "/")) *best = std::move(mount);
}

// Whether what is found at the mount point is this mount.
bool is_visible(const std::string& root, const CgroupMount& mount) {
  struct statx status = {};
  if (::statx(AT_FDCWD, (root + mount.point).c_str(), AT_NO_AUTOMOUNT, STATX_MNT_ID, &status) != 0) return false;
  return (status.stx_mask & STATX_MNT_ID) == 0 || status.stx_mnt_id == mount.id;
}

void consider_mount(const std::string& root, const Mount& found, CgroupMounts* mounts) {
  if (found.type != "cgroup" && found.type != "cgroup2") return;
  mounts->has_v1 = mounts->has_v1 || found.type == "cgroup";
  CgroupMount mount = {.id = found.id, .point = found.point, .root = found.root};
  if (!mount.root.starts_with('/') || !mount.point.starts_with('/') || !is_visible(root, mount)) return;
  if (found.type == "cgroup2")
    consider(&mounts->v2, std::move(mount));
  else if (has_option(found.options, "memory"))
    consider(&mounts->v1_memory, std::move(mount));
}

}  // namespace

Result<CgroupMounts> find_cgroup_mounts(const std::string& root) {
  auto text = read_file(AT_FDCWD, root + "/proc/self/mountinfo", kMaxMountinfo);
  if (!text) return std::move(text.error());
  CgroupMounts mounts;
  for_each_mount(*text, [&](const Mount& mount) { consider_mount(root, mount, &mounts); });
  return mounts;
}

}  // namespace sockeye
