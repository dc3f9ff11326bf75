// SPDX-License-Identifier: Apache-2.0
#include "enrich/cgroup_names.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/directory.h"
#include "base/read_file.h"
#include "enrich/process.h"
#include "event/context.h"
#include "event/wire.h"

namespace sockeye {
namespace {

constexpr uint64_t kRootId = 1;           // of every kernfs: kernfs_create_root() allocates it first
constexpr int kKernfsHandle = 0xfe;       // FILEID_KERNFS of <linux/exportfs.h>
constexpr size_t kMaxProcCgroup = 65536;  // 13 lines of at most PATH_MAX
constexpr std::string_view kDeleted = " (deleted)";

std::string_view take_until(std::string_view* text, char end) {
  const size_t at = std::min(text->find(end), text->size());
  const std::string_view taken = text->substr(0, at);
  text->remove_prefix(std::min(at + 1, text->size()));
  return taken;
}

// `path` seen from the directory `base`: "" where it is `base`, "/a" where it is below; nullopt where it is neither.
std::optional<std::string_view> below(std::string_view path, std::string_view base) {
  if (base == "/") base = "";
  if (!path.starts_with(base)) return std::nullopt;
  path.remove_prefix(base.size());
  if (path == "/") path = "";
  if (!path.empty() && path[0] != '/') return std::nullopt;
  return path;
}

std::string join(std::string_view base, std::string_view inside) {
  std::string path(base == "/" ? "" : base);
  path += inside;
  return path.empty() ? "/" : path;
}

// For the *at() functions: `inside` is "" or "/a/b".
std::string relative(std::string_view inside) { return inside.empty() ? "." : std::string(inside.substr(1)); }

Directory open_dir(int at, const std::string& path) {
  const int fd = ::openat(at, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return nullptr;
  DIR* directory = ::fdopendir(fd);
  if (!directory) ::close(fd);
  return Directory(directory);
}

bool may_be_directory(const dirent& entry) {
  if (entry.d_type != DT_DIR && entry.d_type != DT_UNKNOWN) return false;
  return std::strcmp(entry.d_name, ".") != 0 && std::strcmp(entry.d_name, "..") != 0;
}

// Calls `visit` for each directory below `root`, from that on, level by level, until it returns false; opens at most
// `*left` of them. False: that was too few to say that there are no more.
bool visit_directories(const Fd& root, size_t* left, const std::function<bool(uint64_t, const std::string&)>& visit) {
  struct stat status = {};
  if (!root || (::fstat(root.get(), &status) == 0 && !visit(status.st_ino, ""))) return true;
  std::vector<std::string> pending = {""};
  bool cut = *left == 0;
  for (size_t next = 0; next < pending.size() && *left > 0; ++next) {
    --*left;
    const std::string inside = std::move(pending[next]);
    const Directory directory = open_dir(root.get(), relative(inside));
    if (!directory) continue;
    while (const dirent* entry = ::readdir(directory.get())) {
      if (!may_be_directory(*entry)) continue;
      std::string child = inside + "/" + entry->d_name;
      if (!visit(entry->d_ino, child)) return true;
      // What would not be reached before the limit is not remembered either.
      if (pending.size() <= next + *left)
        pending.push_back(std::move(child));
      else
        cut = true;
    }
  }
  return !cut;
}

bool has_controller(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    if (take_until(&controllers, ',') == wanted) return true;
  }
  return false;
}

}  // namespace

std::string_view proc_cgroup_path(std::string_view text, std::string_view wanted) {
  while (!text.empty()) {
    std::string_view path = take_until(&text, '\n');
    take_until(&path, ':');  // number of the hierarchy
    const std::string_view controllers = take_until(&path, ':');
    if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
    if (!path.starts_with('/')) continue;
    const bool fits = wanted == "*"    ? !controllers.empty() && path != "/"
                      : wanted.empty() ? controllers.empty()
                                       : has_controller(controllers, wanted);
    if (fits) return path;
  }
  return {};
}

CgroupNames::CgroupNames(std::string root, size_t walk_limit)
    : root_(std::move(root)), walk_limit_(walk_limit), walk_left_(walk_limit) {
  if (auto mounts = find_cgroup_mounts(root_)) mounts_ = std::move(*mounts);
  v2_ = open_hierarchy(mounts_.v2);
  v1_memory_ = open_hierarchy(mounts_.v1_memory);
}

CgroupNames::Hierarchy CgroupNames::open_hierarchy(const std::optional<CgroupMount>& mount) const {
  Hierarchy hierarchy;
  if (!mount) return hierarchy;
  hierarchy.mount = *mount;
  hierarchy.directory.reset(::open((root_ + mount->point).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct statfs fs = {};
  // The handles of anything else mean something else.
  if (hierarchy.directory && ::fstatfs(hierarchy.directory.get(), &fs) == 0)
    hierarchy.takes_handles = fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC;
  return hierarchy;
}

std::optional<std::string> CgroupNames::path_of(uint8_t hierarchy, uint64_t id, uint32_t pid, uint64_t start_ns) {
  if (id == kRootId) return "/";
  if (id == 0 || (hierarchy != CGROUP_V2 && hierarchy != CGROUP_V1_MEMORY)) return std::nullopt;
  const bool v2 = hierarchy == CGROUP_V2;
  Hierarchy& mounted = v2 ? v2_ : v1_memory_;
  std::string path;
  const Answer answer = ask_handle(mounted, id, &path);
  if (answer == Answer::kFound) {
    ++lookups_.by_handle;
  } else if (answer == Answer::kGone) {
    ++lookups_.gone;
    return std::nullopt;
  } else if (ask_process(mounted, v2, id, pid, start_ns, &path)) {
    ++lookups_.by_process;
  } else if (walk(mounted, id, &path)) {
    ++lookups_.by_walk;
  } else {
    ++lookups_.unnamed;
    return std::nullopt;
  }
  return path;
}

std::optional<std::string> CgroupNames::v1_path_of(uint32_t pid, uint64_t start_ns) {
  if (pid == 0 || start_ns == 0) return std::nullopt;
  auto process = open_process(root_, pid, start_ns);
  if (!process) return std::nullopt;
  auto text = read_file(process->get(), "cgroup", kMaxProcCgroup);
  if (!text) return std::nullopt;
  for (const std::string_view wanted : {"memory", "name=systemd", "*"}) {
    const std::string_view path = proc_cgroup_path(*text, wanted);
    if (!path.empty() && path != "/") return std::string(path);
  }
  return std::nullopt;
}

CgroupNames::Answer CgroupNames::ask_handle(Hierarchy& hierarchy, uint64_t id, std::string* path) const {
  if (!hierarchy.takes_handles) return Answer::kUnknown;
  alignas(file_handle) std::array<char, sizeof(file_handle) + sizeof(id)> bytes = {};
  auto* handle = reinterpret_cast<file_handle*>(bytes.data());
  handle->handle_bytes = sizeof(id);
  handle->handle_type = kKernfsHandle;
  std::memcpy(bytes.data() + offsetof(file_handle, f_handle), &id, sizeof(id));
  const Fd found(::open_by_handle_at(hierarchy.directory.get(), handle, O_PATH | O_CLOEXEC));
  if (!found) {
    if (errno == ESTALE) return Answer::kGone;
    // Not permitted (no capability, or seccomp) or not known to this kernel: it will not be later.
    if (errno == EPERM || errno == ENOSYS || errno == EOPNOTSUPP) hierarchy.takes_handles = false;
    return Answer::kUnknown;
  }
  std::array<char, PATH_MAX> link;
  const std::string name = root_ + "/proc/self/fd/" + std::to_string(found.get());
  const ssize_t length = ::readlink(name.c_str(), link.data(), link.size());
  if (length <= 0 || static_cast<size_t>(length) == link.size()) return Answer::kUnknown;
  std::string_view target(link.data(), static_cast<size_t>(length));
  if (target.ends_with(kDeleted)) target.remove_suffix(kDeleted.size());
  // A cgroup outside of the part that is mounted is shown as "/" (prepend_path() of fs/d_path.c).
  const auto inside = below(target, hierarchy.mount.point);
  if (!inside) return Answer::kUnknown;
  *path = join(hierarchy.mount.root, *inside);
  return Answer::kFound;
}

bool CgroupNames::ask_process(const Hierarchy& hierarchy, bool v2, uint64_t id, uint32_t pid, uint64_t start_ns,
                              std::string* path) const {
  if (pid == 0) return false;
  auto process = open_process(root_, pid, start_ns);
  if (!process) return false;
  auto text = read_file(process->get(), "cgroup", kMaxProcCgroup);
  if (!text) return false;
  *path = proc_cgroup_path(*text, v2 ? "" : "memory");
  if (path->empty()) return false;
  const auto inside = below(*path, hierarchy.mount.root);
  // In a cgroup namespace what lies outside of it is shown as /../...
  if (!hierarchy.directory || !inside || path->find("/..") != std::string::npos) return start_ns != 0 && *path != "/";
  struct stat status = {};
  return ::fstatat(hierarchy.directory.get(), relative(*inside).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         status.st_ino == id;
}

// A user cannot give away what he made, nor (v2) rename it: whose the directory above is, and what he made there,
// tells.
CgroupNaming CgroupNames::naming_of(uint8_t which, std::string_view path) const {
  const Hierarchy& hierarchy = which == CGROUP_V2 ? v2_ : v1_memory_;
  const auto inside = below(path, hierarchy.mount.root);
  struct stat above = {};
  if (!inside || !hierarchy.directory || inside->find("/..") != std::string_view::npos ||
      ::fstat(hierarchy.directory.get(), &above) != 0)
    return {0, std::string(kUnknownUser)};
  const size_t outside = path.size() - inside->size();
  const uid_t root = above.st_uid;
  for (size_t begin = 0, end = 0; end < inside->size(); begin = end) {
    end = std::min(inside->find('/', begin + 1), inside->size());
    struct stat made = {};
    const std::string name = relative(inside->substr(0, end));
    const bool is_there = ::fstatat(hierarchy.directory.get(), name.c_str(), &made, AT_SYMLINK_NOFOLLOW) == 0;
    const bool is_roots_alone = above.st_uid == root && (above.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    if (!is_roots_alone) {
      if (!is_there) return {outside + begin, std::string(kUnknownUser)};
      const uid_t user = made.st_uid != root ? made.st_uid : above.st_uid;
      if (user != root) return {outside + begin, std::to_string(user)};
    } else if (!is_there && end < inside->size()) {
      return {outside + end, std::string(kUnknownUser)};
    }
    above = made;
  }
  return {path.size(), ""};
}

bool CgroupNames::walk(const Hierarchy& hierarchy, uint64_t id, std::string* path) {
  bool found = false;
  const bool whole = visit_directories(hierarchy.directory, &walk_left_, [&](uint64_t met, const std::string& inside) {
    found = met == id;
    if (found) *path = join(hierarchy.mount.root, inside);
    return !found;
  });
  lookups_.walks_cut += !whole;
  return found;
}

void CgroupNames::visit_all(
    const std::function<void(uint8_t hierarchy, uint64_t id, const std::string& path)>& found) const {
  for (const uint8_t which : {CGROUP_V2, CGROUP_V1_MEMORY}) {
    const Hierarchy& hierarchy = which == CGROUP_V2 ? v2_ : v1_memory_;
    size_t left = kWalkLimit;
    visit_directories(hierarchy.directory, &left, [&](uint64_t id, const std::string& inside) {
      found(which, id, join(hierarchy.mount.root, inside));
      return true;
    });
  }
}

}  // namespace sockeye
