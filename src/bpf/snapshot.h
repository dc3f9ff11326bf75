// SPDX-License-Identifier: Apache-2.0
// The sockets that were there before: each gets its record, and its owner where a process holds it.
#pragma once

#include <string>

#include "bpf/object.h"

namespace sockeye {

struct SnapshotReport {
  uint64_t sockets = 0;     // full sockets met
  uint64_t minis = 0;       // TIME_WAIT and FIN_WAIT2 minisockets and request sockets met
  uint64_t owned = 0;       // sockets that an owner was found for
  int namespaces = 0;       // network namespaces visited
  int unvisited = 0;        // network namespaces that could not be entered
  std::string shortcoming;  // what could not be looked at, and why; empty: nothing
};

// Visits all network namespaces that a process or a file under /run/netns holds: an iterator sees only the namespace
// of whoever opens it. The calling thread is in its own namespace again afterwards.
SnapshotReport take_snapshot(Object& object);

// Only the owners: after it, tick_socket meets each socket with the process that holds it. For runs that read
// tick_socket themselves.
Status learn_owners(Object& object);

}  // namespace sockeye
