// SPDX-License-Identifier: Apache-2.0
// The filters about owners (--pid, --comm, --uid, --cgroup), asked of each process that holds a socket: what is wanted
// has to be true of one of them, what is excluded of none. What is asked of one process is bpf/filter.h's.
#pragma once

#include <span>

#include "bpf/filter_rules.h"
#include "event/wire.h"

namespace sockeye {

class HolderFilter {
 public:
  explicit HolderFilter(const filter_rules& rules);

  // Whether this process alone would be the owner of a socket that passes.
  bool wants(const ::owner& holder) const;
  // Whether no socket passes that this process holds.
  bool excludes(const ::owner& holder) const;
  // Of a socket that nobody holds, or that is not known.
  bool passes_without_holders() const;

 private:
  filter_rules rules_;
  filter_rules exclusions_;  // without what is wanted
};

// What is asked of the socket alone.
filter_rules without_owner_rules(filter_rules rules);

// As filters see a holder of an event.
::owner owner_from(const holder& of_event);

}  // namespace sockeye
