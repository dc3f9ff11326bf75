// SPDX-License-Identifier: Apache-2.0
#include "bpf/snapshot.h"

#include <sys/stat.h>

#include <chrono>

#include "bpf/namespace_walk.h"

namespace sockeye {
namespace {

constexpr ino_t kInitialPidNamespace = 0xeffffffc;  // PROC_PID_INIT_INO of the kernel's <linux/proc_ns.h>

void visit_sockets(Object& object, std::string& shortcoming) {
  NamespaceWalk walk;
  while (walk.enter_next()) {
    if (const auto done = object.run_iterator("tick_socket"); !done) shortcoming = done.error().what;
  }
  if (!walk.shortcoming().empty()) shortcoming = walk.shortcoming();
}

bool sees_all_processes() {
  struct stat info;
  return stat("/proc/self/ns/pid", &info) != 0 || info.st_ino == kInitialPidNamespace;
}

}  // namespace

SnapshotReport take_snapshot(Object& object) {
  SnapshotReport report;
  const auto start = std::chrono::steady_clock::now();
  if (object.needs_visits_before_files()) visit_sockets(object, report.shortcoming);
  if (!sees_all_processes()) report.shortcoming = "sockeye runs in a pid namespace, and sees no process outside it";
  if (const auto done = object.run_iterator("tick_file"); !done) report.shortcoming = done.error().what;
  const auto took = std::chrono::steady_clock::now() - start;
  report.took_us = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  report.owned = object.counters().snapshot_owned;
  return report;
}

}  // namespace sockeye
