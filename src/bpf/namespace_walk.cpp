// SPDX-License-Identifier: Apache-2.0
#include "bpf/namespace_walk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/directory.h"
#include "base/result.h"
#include "bpf/host.h"
#include "bpf/namespace_mounts.h"

namespace sockeye {
namespace {

template <typename Visit>
void for_each_entry(const char* path, Visit visit) {
  const Directory directory(opendir(path));
  if (!directory) return;
  while (const dirent* entry = readdir(directory.get())) visit(entry->d_name);
}

constexpr char kOwn[] = "/proc/self/ns/net";
constexpr size_t kWaysEach = 8;     // kept of a namespace that more lead to
constexpr size_t kDone = SIZE_MAX;  // of known_: not to be visited
constexpr int kRounds = 3;          // what leads there may be gone by then, and something else lead there
constexpr char kMayEnter[] = " (CAP_SYS_ADMIN enters it)";
constexpr char kMayFollow[] = " (CAP_SYS_PTRACE and CAP_NET_ADMIN lead there, CAP_SYS_ADMIN enters it)";

// The process, its descriptor, or the namespace's file is not there any more.
bool is_gone(int error) { return error == ENOENT || error == ESRCH || error == EBADF || error == ENOTTY; }

bool is_refused(int error) { return error == EACCES || error == EPERM; }

// Why a file did not open, or could not be asked: errno. Of a process that ends meanwhile the kernel says EACCES
// (proc_ns_get_link()), as of one that may not be looked at; but then it is not there any more.
int errno_of(const std::string& path) {
  const int error = errno;
  struct stat info;
  if (!is_refused(error) || stat(path.substr(0, path.find("/ns/")).c_str(), &info) == 0) return error;
  return errno == ENOENT ? ESRCH : error;
}

std::string words_of(const namespace_holder& holder) {
  const char* kind = holder.by == HELD_BY_THREAD   ? "a thread"
                     : holder.by == HELD_BY_SOCKET ? "a socket"
                                                   : "a descriptor";
  return std::to_string(holder.netns) + ", held by " + kind + " of process " + std::to_string(holder.pid);
}

}  // namespace

NamespaceWalk::NamespaceWalk(Wanted wanted, NamespaceHolders holders)
    : wanted_(std::move(wanted)), holders_(std::move(holders)), own_(open(kOwn, O_RDONLY | O_CLOEXEC)) {
  struct stat info;
  if (stat(kOwn, &info) == 0) {  // where it cannot be told, the own one is wanted
    nsfs_ = info.st_dev;
    known_[info.st_ino] = kDone;
    own_is_next_ = wanted_.takes(static_cast<uint32_t>(info.st_ino));
  }
  find_others();
}

// Of a process of another user only who may trace it sees its namespaces: there may be some that are not known of.
void NamespaceWalk::find_others() {
  size_t hidden = 0;
  for (const std::string& path : find_namespace_mounts()) consider_path(path);
  for_each_entry("/proc", [&](const char* name) {
    if (name[0] < '1' || name[0] > '9') return;
    if (!consider_path(std::string("/proc/") + name + "/ns/net")) ++hidden;
  });
  // Process 1 alone is hidden by some virtual machines even from root; it is in nobody's namespace but the machine's.
  if (hidden > 1) {
    limitation_ = "the network namespaces of " + std::to_string(hidden) +
                  " processes are hidden: " + errno_text(EACCES) + " (CAP_SYS_PTRACE shows them)";
  } else if (!is_in_initial_namespace(NamespaceKind::kPid)) {
    limitation_ = "sockeye runs in a pid namespace, and sees the network namespaces of no process outside it";
  } else if (are_processes_hidden()) {
    limitation_ =
        "/proc does not show the processes of other users, nor their network namespaces (CAP_SYS_PTRACE shows them)";
  }
}

// Where it is among others_, new or not; null: it is not to be visited.
NamespaceWalk::Namespace* NamespaceWalk::place_of(uint64_t inode) {
  const auto [place, is_new] = known_.try_emplace(inode, others_.size());
  if (is_new && !wanted_.takes(static_cast<uint32_t>(inode))) place->second = kDone;
  if (place->second == kDone) return nullptr;
  if (is_new) others_.push_back({inode, {}, {}});
  return &others_[place->second];
}

// False: it may not be looked at.
bool NamespaceWalk::consider_path(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return !is_refused(errno_of(path));
  if (info.st_dev != nsfs_) return true;
  Namespace* space = place_of(info.st_ino);
  if (space && space->paths.size() < kWaysEach) space->paths.push_back(path);
  return true;
}

void NamespaceWalk::consider_holder(const namespace_holder& holder) {
  Namespace* space = place_of(holder.netns);
  // What has been visited needs no ways any more.
  if (!space || static_cast<size_t>(space - others_.data()) < next_ || space->holders.size() >= kWaysEach) return;
  space->holders.push_back(holder);
}

// Whether there are more to visit. A round that finds none is the last.
bool NamespaceWalk::find_held() {
  if (!holders_ || rounds_ == kRounds || entered_ >= wanted_.most) return false;
  ++rounds_;
  const auto read = holders_([this](const namespace_holder& holder) { consider_holder(holder); });
  if (!read) limitation_ = "network namespaces that no process is in may be missing: " + read.error().what;
  const bool found = next_ < others_.size();
  if (!found) rounds_ = kRounds;
  return found;
}

bool NamespaceWalk::enter_next() {
  if (own_is_next_ || enter_other()) {
    own_is_next_ = false;
    ++entered_;
    return true;
  }
  go_home();
  return false;
}

bool NamespaceWalk::enter_other() {
  do {
    while (next_ < others_.size()) {
      if (enter(others_[next_++])) return true;
    }
  } while (find_held());
  return false;
}

// By the first way that still leads to it. Where none does the namespace is going, or gone, or something else leads
// there, which the next round finds.
bool NamespaceWalk::enter(const Namespace& other) {
  int refused = 0;
  std::string which;
  for (const std::string& path : other.paths) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const int error = file ? enter_by(file, other.inode) : errno_of(path);
    if (error == 0) return true;
    if (is_gone(error)) continue;
    leave_out(path, error, kMayEnter);
    return false;
  }
  for (const namespace_holder& holder : other.holders) {
    const int error = enter_by(open_namespace_of(holder), other.inode);
    if (error == 0) return true;
    if (error == kOfOtherKind) {
      known_[other.inode] = kDone;
      return false;
    }
    if (is_gone(error) && rounds_ < kRounds) continue;
    refused = error;
    which = words_of(holder);
  }
  if (refused != 0)
    leave_out(which, refused, kMayFollow);
  else
    known_.erase(other.inode);
  return false;
}

// 0, or why not: an error that is_gone() where the file leads elsewhere by now.
int NamespaceWalk::enter_by(const Fd& file, uint64_t inode) {
  struct stat info;
  if (!file) return errno;
  if (fstat(file.get(), &info) == 0 && (info.st_dev != nsfs_ || info.st_ino != inode)) return ESRCH;
  if (own_ && setns(file.get(), CLONE_NEWNET) == 0) {
    away_ = true;
    return 0;
  }
  return errno == EINVAL ? ESRCH : errno;  // `ip netns delete` unmounts the file, then removes it
}

void NamespaceWalk::leave_out(const std::string& which, int error, const char* remedy) {
  limitation_ = "network namespace " + which + ": " + errno_text(error);
  if (is_refused(error)) limitation_ += remedy;
  ++unvisited_;
}

void NamespaceWalk::go_home() {
  if (!away_) return;
  if (setns(own_.get(), CLONE_NEWNET) == 0) {
    away_ = false;
  } else {
    limitation_ = "cannot return to the own network namespace: " + errno_text(errno);
  }
}

}  // namespace sockeye
