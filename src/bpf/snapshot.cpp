// SPDX-License-Identifier: Apache-2.0
#include "bpf/snapshot.h"

#include <chrono>
#include <utility>

#include "bpf/host.h"
#include "bpf/namespace_walk.h"

namespace sockeye {
namespace {

void visit_sockets(Object& object, std::string& limitation) {
  NamespaceWalk walk({}, holders_by(object));
  while (walk.enter_next()) {
    if (const auto done = object.run_iterator("visit_socket"); !done) limitation = done.error().what;
  }
  if (!walk.limitation().empty()) limitation = walk.limitation();
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
  if (object.needs_visits_before_files()) visit_sockets(object, report.limitation);
  if (std::string hidden = hidden_processes(); !hidden.empty()) report.limitation = std::move(hidden);
  if (const auto done = object.run_iterator("visit_file"); !done) report.limitation = done.error().what;
  const auto took = std::chrono::steady_clock::now() - start;
  report.took_us = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  report.owned = object.counters().snapshot_owned;
  return report;
}

}  // namespace sockeye
