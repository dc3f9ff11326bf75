// SPDX-License-Identifier: Apache-2.0
#include "bpf/namespace_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <memory>
#include <utility>

#include "base/result.h"

namespace sockeye {
namespace {

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

template <typename Visit>
void for_each_entry(const char* path, Visit visit) {
  const std::unique_ptr<DIR, DirectoryCloser> directory(opendir(path));
  if (!directory) return;
  while (const dirent* entry = readdir(directory.get())) visit(entry->d_name);
}

constexpr char kOwn[] = "/proc/self/ns/net";
constexpr size_t kPathsEach = 8;  // kept of a namespace that more processes hold

std::pair<uint64_t, uint64_t> identity_of(const struct stat& info) { return {info.st_dev, info.st_ino}; }

// Where it cannot be told, the own one is wanted.
bool wants_own(const NamespaceWalk::Wanted& wanted) {
  struct stat info;
  return stat(kOwn, &info) != 0 || wanted(static_cast<uint32_t>(info.st_ino));
}

}  // namespace

NamespaceWalk::NamespaceWalk(const Wanted& wanted)
    : own_(open(kOwn, O_RDONLY | O_CLOEXEC)), own_is_next_(wants_own(wanted)) {
  find_others(wanted);
}

// Of a process of another user only who may trace it sees its namespaces: there may be some that are not known of.
void NamespaceWalk::find_others(const Wanted& wanted) {
  std::map<std::pair<uint64_t, uint64_t>, size_t> places;
  size_t hidden = 0;
  struct stat info;
  if (stat(kOwn, &info) == 0) places[identity_of(info)] = SIZE_MAX;
  const auto consider = [&](std::string path) {
    if (stat(path.c_str(), &info) != 0) {
      hidden += errno == EACCES || errno == EPERM;
      return;
    }
    const auto [place, is_new] = places.try_emplace(identity_of(info), others_.size());
    if (is_new && !wanted(static_cast<uint32_t>(info.st_ino))) place->second = SIZE_MAX;
    if (place->second == SIZE_MAX) return;
    if (is_new) others_.push_back({identity_of(info), {}});
    std::vector<std::string>& paths = others_[place->second].paths;
    if (paths.size() < kPathsEach) paths.push_back(std::move(path));
  };
  for_each_entry("/run/netns", [&](const char* name) {
    if (name[0] != '.') consider(std::string("/run/netns/") + name);
  });
  for_each_entry("/proc", [&](const char* name) {
    if (name[0] >= '1' && name[0] <= '9') consider(std::string("/proc/") + name + "/ns/net");
  });
  // Process 1 alone is hidden by some virtual machines even from root; it is in nobody's namespace but the machine's.
  if (hidden > 1) {
    shortcoming_ = "the network namespaces of " + std::to_string(hidden) +
                   " processes are hidden: " + errno_text(EACCES) + " (CAP_SYS_PTRACE shows them)";
  }
}

bool NamespaceWalk::enter_next() {
  if (own_is_next_) {
    own_is_next_ = false;
    return true;
  }
  while (next_ < others_.size()) {
    if (enter(others_[next_++])) return true;
  }
  go_home();
  return false;
}

// By the first of its paths that still leads to it: the process may have ended, its number may be another's by now.
// Where none does the namespace is going, or gone.
bool NamespaceWalk::enter(const Namespace& other) {
  for (const std::string& path : other.paths) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info;
    if (!fd && (errno == ENOENT || errno == ESRCH)) continue;
    if (fd && fstat(fd.get(), &info) == 0 && identity_of(info) != other.identity) continue;
    if (own_ && fd && setns(fd.get(), CLONE_NEWNET) == 0) return away_ = true;
    if (fd && errno == EINVAL) continue;  // `ip netns delete` unmounts the file, then removes it
    const int error = errno;
    shortcoming_ = "network namespace " + path + ": " + errno_text(error);
    if (error == EPERM) shortcoming_ += " (CAP_SYS_ADMIN enters it)";
    ++unvisited_;
    return false;
  }
  return false;
}

void NamespaceWalk::go_home() {
  if (!away_) return;
  if (setns(own_.get(), CLONE_NEWNET) == 0) {
    away_ = false;
  } else {
    shortcoming_ = "cannot return to the own network namespace: " + errno_text(errno);
  }
}

}  // namespace sockeye
