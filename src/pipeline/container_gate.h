// SPDX-License-Identifier: Apache-2.0
// --container between the two sides: which container a cgroup is of is known in user space alone, and events are to be
// left out in the kernel. So the kernel side is told of each cgroup, and lets pass what it has not been told of yet.
#pragma once

#include <cstddef>
#include <functional>
#include <unordered_set>

#include "bpf/filter_rules.h"
#include "enrich/enricher.h"
#include "event/container_filter.h"
#include "event/record.h"

namespace sockeye {

// The rules with what the kernel side has to know of this filter on this machine.
filter_rules with_containers(filter_rules rules, const ContainerFilter& filter, const Enricher& enricher);

class ContainerGate {
 public:
  // `verdicts`: the map verdict_by_container of the kernel side; negative: there is none, and user space decides alone.
  // Neither is owned.
  ContainerGate(ContainerFilter filter, Enricher& enricher, int verdicts);

  // Tells the kernel side of the cgroups that there are, after it is loaded. What comes later, or does not fit in, is
  // told with its first event.
  void seed();

  // Whether a record that has come, with its context, is wanted. Empty where there is no --container.
  std::function<bool(const Record&)> wanted();

 private:
  bool passes(const Record& record);
  void tell(const container_key& key, bool passes);

  ContainerFilter filter_;
  Enricher& enricher_;
  int verdicts_;
  std::unordered_set<container_key, ContainerKeyHash> told_;  // that they pass
};

}  // namespace sockeye
