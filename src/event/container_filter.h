// SPDX-License-Identifier: Apache-2.0
// --container: which containers a run is about. The same for what comes live and for what is replayed.
#pragma once

#include <string>
#include <vector>

#include "event/context.h"

namespace sockeye {

// Each word is the beginning of an id, or of what the runtime calls a container that has none (Context::container); or
// the whole of a container's name.
struct ContainerFilter {
  std::vector<std::string> wanted;
  std::vector<std::string> excluded;

  bool is_active() const { return !wanted.empty() || !excluded.empty(); }

  // `context`: of the event; null where nothing is known of its owner, which is as good as in no container: that is
  // not wanted, and not excluded. Nor is what a user says of himself (Context::container_user) excluded: he could hide
  // by saying so. An empty filter passes everything.
  bool passes(const Context* context) const { return !excludes(context) && wants(context); }
  bool excludes(const Context* context) const;
  bool wants(const Context* context) const;
};

}  // namespace sockeye
