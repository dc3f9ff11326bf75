// SPDX-License-Identifier: Apache-2.0
#include "bpf/snapshot.h"

#include <chrono>
#include <utility>

#include "bpf/host.h"
#include "bpf/namespace_walk.h"

namespace sockeye {
namespace {

void visit_sockets(Object& object, std::string& shortcoming) {
  NamespaceWalk walk({}, holders_by(object));
  while (walk.enter_next()) {
    if (const auto done = object.run_iterator("tick_socket"); !done) shortcoming = done.error().what;
  }
  if (!walk.shortcoming().empty()) shortcoming = walk.shortcoming();
}

}  // namespace

std::string hidden_processes() {
  return is_in_initial_namespace(NamespaceKind::kPid)
             ? ""
             : "sockeye runs in a pid namespace, and sees no process outside it";
}

SnapshotReport take_snapshot(Object& object) {
  SnapshotReport report;
  const auto start = std::chrono::steady_clock::now();
  if (object.needs_visits_before_files()) visit_sockets(object, report.shortcoming);
  if (std::string hidden = hidden_processes(); !hidden.empty()) report.shortcoming = std::move(hidden);
  if (const auto done = object.run_iterator("tick_file"); !done) report.shortcoming = done.error().what;
  const auto took = std::chrono::steady_clock::now() - start;
  report.took_us = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  report.owned = object.counters().snapshot_owned;
  return report;
}

}  // namespace sockeye
