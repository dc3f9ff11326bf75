// SPDX-License-Identifier: Apache-2.0
// --container between the two sides: which container a cgroup is of is known in user space alone, and events are to be
// left out in the kernel. So the kernel side is told of each cgroup, and lets pass what it has not been told of yet.
#pragma once

#include <cstddef>
#include <functional>
#include <unordered_set>
#include <vector>

#include "bpf/filter_rules.h"
#include "enrich/enricher.h"
#include "event/container_filter.h"
#include "event/event.h"

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

  // A cgroup was made: its container is looked up and the kernel side told of it, before a process is in it. Also
  // without a --container: who looks later may find it gone. What cannot be found yet is looked for once more by
  // retry().
  void hear_of(const container_key& cgroup);
  void retry();

  // Of a process, where a socket may have several: whether it is in a container that is asked for, or in one that is
  // not to be shown.
  bool wants(const ::owner& process);
  bool excludes(const ::owner& process);

  // Whether an event that has come, with its context, is wanted. Empty where there is no --container.
  std::function<bool(const Event&)> wanted();

 private:
  bool is_undecided(const Context& context) const;
  bool passes(const Event& event);
  bool decide(const container_key& cgroup);
  void judge(const container_key& cgroup, const Context& context);
  void tell(const container_key& key, bool passes);

  ContainerFilter filter_;
  Enricher& enricher_;
  int verdicts_;
  std::unordered_set<container_key, ContainerKeyHash> told_;  // that they pass
  std::vector<container_key> missed_;                         // cgroups that were not to be found when they were made
};

}  // namespace sockeye
