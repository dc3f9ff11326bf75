// SPDX-License-Identifier: Apache-2.0
#include "bpf/snapshot.h"

#include "bpf/namespace_walk.h"

namespace sockeye {
namespace {

void visit_sockets(Object& object, SnapshotReport& report) {
  NamespaceWalk walk;
  while (walk.enter_next()) {
    if (const auto done = object.run_iterator("tick_socket"); !done) {
      report.shortcoming = done.error().what;
    } else {
      ++report.namespaces;
    }
  }
  report.unvisited = walk.unvisited();
  if (!walk.shortcoming().empty()) report.shortcoming = walk.shortcoming();
}

}  // namespace

SnapshotReport take_snapshot(Object& object) {
  SnapshotReport report;
  visit_sockets(object, report);
  if (const auto done = object.run_iterator("tick_file"); !done) report.shortcoming = done.error().what;
  const kernel_counters& counters = object.counters();
  report.sockets = counters.snapshot_sockets;
  report.minis = counters.snapshot_minis;
  report.owned = counters.snapshot_owned;
  return report;
}

}  // namespace sockeye
