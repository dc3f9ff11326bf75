// SPDX-License-Identifier: Apache-2.0
#include "bpf/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <set>
#include <utility>

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

// Paths of all network namespaces but the own one, each once.
std::set<std::string> other_namespaces() {
  std::set<std::pair<dev_t, ino_t>> seen;
  std::set<std::string> paths;
  struct stat info;
  if (stat("/proc/self/ns/net", &info) == 0) seen.insert({info.st_dev, info.st_ino});
  const auto consider = [&](const std::string& path) {
    if (stat(path.c_str(), &info) == 0 && seen.insert({info.st_dev, info.st_ino}).second) paths.insert(path);
  };
  for_each_entry("/run/netns", [&](const char* name) {
    if (name[0] != '.') consider(std::string("/run/netns/") + name);
  });
  for_each_entry("/proc", [&](const char* name) {
    if (name[0] >= '1' && name[0] <= '9') consider(std::string("/proc/") + name + "/ns/net");
  });
  return paths;
}

}  // namespace

SnapshotReport take_snapshot(Object& object) {
  SnapshotReport report;
  const auto visit = [&] {
    if (const auto done = object.run_iterator("tick_socket"); !done) {
      report.shortcoming = done.error().what;
    } else {
      ++report.namespaces;
    }
  };
  visit();
  const Fd own(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  for (const std::string& path : other_namespaces()) {
    const Fd other(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!other && errno == ENOENT) continue;  // it went meanwhile
    if (!other || setns(other.get(), CLONE_NEWNET) != 0) {
      report.shortcoming = "network namespace " + path + ": " + errno_text(errno);
      ++report.unvisited;
      continue;
    }
    visit();
    if (setns(own.get(), CLONE_NEWNET) != 0) {
      report.shortcoming = "cannot return from network namespace " + path + ": " + errno_text(errno);
      break;
    }
  }
  if (const auto done = object.run_iterator("tick_file"); !done) report.shortcoming = done.error().what;
  const kernel_counters& counters = object.counters();
  report.sockets = counters.snapshot_sockets;
  report.minis = counters.snapshot_minis;
  report.owned = counters.snapshot_owned;
  return report;
}

}  // namespace sockeye
