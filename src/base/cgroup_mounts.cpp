// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup_mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/read_file.h"

namespace sockeye {
namespace {

constexpr size_t kMaxMountinfo = size_t{16} << 20;  // thousands of containers, each with a long overlay line

std::string_view take_until(std::string_view* text, char end) {
  const size_t at = std::min(text->find(end), text->size());
  const std::string_view taken = text->substr(0, at);
  text->remove_prefix(std::min(at + 1, text->size()));
  return taken;
}

// Blank, tab, line end and backslash are written as \ooo.
std::string unescape_octal(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i + 1, 3);
    if (text[i] == '\\' && digits.size() == 3 && digits[0] >= '0' && digits[0] <= '3' &&
        digits.find_first_not_of("01234567") == std::string_view::npos) {
      out += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    if (take_until(&options, ',') == wanted) return true;
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

void read_line(const std::string& root, std::string_view line, CgroupMounts* mounts) {
  const size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return;
  std::string_view tail = line.substr(dash + 3);
  const std::string_view type = take_until(&tail, ' ');
  if (type != "cgroup" && type != "cgroup2") return;
  take_until(&tail, ' ');  // source
  CgroupMount mount;
  const std::string_view id = take_until(&line, ' ');
  std::from_chars(id.data(), id.data() + id.size(), mount.id);
  take_until(&line, ' ');  // parent
  take_until(&line, ' ');  // device
  mount.root = unescape_octal(take_until(&line, ' '));
  mount.point = unescape_octal(take_until(&line, ' '));
  mounts->has_v1 = mounts->has_v1 || type == "cgroup";
  if (!mount.root.starts_with('/') || !mount.point.starts_with('/') || !is_visible(root, mount)) return;
  if (type == "cgroup2")
    consider(&mounts->v2, std::move(mount));
  else if (has_option(tail, "memory"))
    consider(&mounts->v1_memory, std::move(mount));
}

}  // namespace

Result<CgroupMounts> find_cgroup_mounts(const std::string& root) {
  auto text = read_file(AT_FDCWD, root + "/proc/self/mountinfo", kMaxMountinfo);
  if (!text) return std::move(text.error());
  CgroupMounts mounts;
  // A last line without its end has been cut.
  for (std::string_view rest(text->data(), text->rfind('\n') + 1); !rest.empty();)
    read_line(root, take_until(&rest, '\n'), &mounts);
  return mounts;
}

}  // namespace sockeye
