// SPDX-License-Identifier: Apache-2.0
#include "bpf/snapshot.h"

#include <algorithm>

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

// Without bpf_sock_from_file a file only leads to the address of its socket, whose record has to be there.
bool needs_records_first(const Object& object) {
  return std::any_of(object.choices().begin(), object.choices().end(),
                     [](const Choice& choice) { return choice.moment == "tick_file" && choice.rung == "iter_probe"; });
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

Status learn_owners(Object& object) {
  if (needs_records_first(object)) {
    SnapshotReport ignored;  // whatever is wrong with a namespace shows again when its sockets are read
    visit_sockets(object, ignored);
  }
  return object.run_iterator("tick_file");
}

}  // namespace sockeye
