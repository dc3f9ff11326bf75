// SPDX-License-Identifier: Apache-2.0
#include "bpf/namespace_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <set>
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

// Paths of all network namespaces but the own one that are wanted, each once.
std::vector<std::string> other_namespaces(const NamespaceWalk::Wanted& wanted) {
  std::set<std::pair<dev_t, ino_t>> seen;
  std::vector<std::string> paths;
  struct stat info;
  if (stat(kOwn, &info) == 0) seen.insert({info.st_dev, info.st_ino});
  const auto consider = [&](std::string path) {
    if (stat(path.c_str(), &info) != 0 || !seen.insert({info.st_dev, info.st_ino}).second) return;
    if (wanted(static_cast<uint32_t>(info.st_ino))) paths.push_back(std::move(path));
  };
  for_each_entry("/run/netns", [&](const char* name) {
    if (name[0] != '.') consider(std::string("/run/netns/") + name);
  });
  for_each_entry("/proc", [&](const char* name) {
    if (name[0] >= '1' && name[0] <= '9') consider(std::string("/proc/") + name + "/ns/net");
  });
  return paths;
}

// Where it cannot be told, the own one is wanted.
bool wants_own(const NamespaceWalk::Wanted& wanted) {
  struct stat info;
  return stat(kOwn, &info) != 0 || wanted(static_cast<uint32_t>(info.st_ino));
}

}  // namespace

NamespaceWalk::NamespaceWalk(const Wanted& wanted)
    : own_(open(kOwn, O_RDONLY | O_CLOEXEC)), others_(other_namespaces(wanted)), own_is_next_(wants_own(wanted)) {}

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

bool NamespaceWalk::enter(const std::string& path) {
  const Fd other(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!other && errno == ENOENT) return false;  // it went meanwhile
  if (own_ && other && setns(other.get(), CLONE_NEWNET) == 0) return away_ = true;
  if (other && errno == EINVAL) return false;  // it is going: `ip netns delete` unmounts the file, then removes it
  shortcoming_ = "network namespace " + path + ": " + errno_text(errno);
  ++unvisited_;
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
