// SPDX-License-Identifier: Apache-2.0
#include "bpf/namespace_mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/mountinfo.h"
#include "base/read_file.h"

namespace sockeye {
namespace {

// `process`: its directory in /proc; `seen_from`: where its root directory is seen.
void add_mounts(const std::string& process, const std::string& seen_from, std::vector<std::string>& paths) {
  const auto text = read_file(AT_FDCWD, process + "/mountinfo", kMaxMountinfo);
  if (!text) return;
  for_each_mount(*text, [&](const Mount& mount) {
    if (mount.type == "nsfs" && mount.root.starts_with("net:[") && mount.point.starts_with('/'))
      paths.push_back(seen_from + mount.point);
  });
}

bool has_other_mounts(const std::string& self, const std::string& other) {
  struct stat own, theirs;
  return stat((self + "/ns/mnt").c_str(), &own) == 0 && stat((other + "/ns/mnt").c_str(), &theirs) == 0 &&
         own.st_ino != theirs.st_ino;
}

}  // namespace

std::vector<std::string> find_namespace_mounts(const std::string& root) {
  const std::string self = root + "/proc/self", first = root + "/proc/1";
  std::vector<std::string> paths;
  add_mounts(self, root, paths);
  if (has_other_mounts(self, first)) add_mounts(first, first + "/root", paths);
  return paths;
}

}  // namespace sockeye
