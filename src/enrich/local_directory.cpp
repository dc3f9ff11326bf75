// SPDX-License-Identifier: Apache-2.0
#include "enrich/local_directory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/mountinfo.h"
#include "base/read_file.h"

namespace sockeye {
namespace {

// What the kernel itself answers for. An overlay is of what its maker, root, put together.
constexpr std::string_view kLocalTypes[] = {"ext2", "ext3", "ext4",     "xfs",    "btrfs", "f2fs",  "bcachefs",
                                            "zfs",  "jfs",  "reiserfs", "nilfs2", "tmpfs", "ramfs", "overlay"};

struct Place {
  uint64_t mount_id;
  bool is_local;
};

bool is_within(std::string_view path, std::string_view point) {
  return point == "/" || (path.starts_with(point) && (path.size() == point.size() || path[point.size()] == '/'));
}

// What is mounted where on the way to a path; of several mounts at one point the last, which hides the others.
std::map<std::string, Place> mounts_on_the_way(std::string_view mountinfo, std::string_view path) {
  std::map<std::string, Place> places;
  for_each_mount(mountinfo, [&](const Mount& mount) {
    if (!is_within(path, mount.point)) return;
    const bool is_local = std::count(std::begin(kLocalTypes), std::end(kLocalTypes), mount.type) > 0;
    places.insert_or_assign(mount.point, Place{mount.id, is_local});
  });
  return places;
}

// Before Linux 5.8 no descriptor tells its mount.
bool is_of_mount(const Fd& directory, uint64_t id) {
  struct statx status = {};
  const int flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  if (!directory || ::statx(directory.get(), "", flags, STATX_MNT_ID, &status) != 0) return false;
  return (status.stx_mask & STATX_MNT_ID) == 0 || status.stx_mnt_id == id;
}

}  // namespace

Fd open_local_directory(const std::string& root, const std::string& path) {
  const auto mountinfo = read_file(AT_FDCWD, root + "/proc/self/mountinfo", kMaxMountinfo);
  if (!mountinfo) return Fd();
  const auto places = mounts_on_the_way(*mountinfo, path);
  const auto is_local = [](const auto& place) { return place.second.is_local; };
  if (places.empty() || !std::all_of(places.begin(), places.end(), is_local)) return Fd();
  const auto& [point, place] = *places.rbegin();  // the longest, as each is within the next
  // Something may have been mounted over it since.
  const Fd mounted(::open((root + point).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!is_of_mount(mounted, place.mount_id)) return Fd();
  const size_t below = std::min(path.find_first_not_of('/', point.size()), path.size());
  open_how how = {};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  const std::string rest = below == path.size() ? "." : path.substr(below);
  return Fd(static_cast<int>(::syscall(SYS_openat2, mounted.get(), rest.c_str(), &how, sizeof how)));
}

}  // namespace sockeye
