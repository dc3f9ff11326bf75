// SPDX-License-Identifier: Apache-2.0
#include "source/holder_filter.h"

#include <cstdint>
#include <cstring>

#include "bpf/filter.h"

namespace sockeye {
namespace {

constexpr uint64_t kNobodys = UINT64_MAX;  // no pid, uid or cgroup

// Entries are used without a hole: one that is wanted is made one that matches nothing.
void keep_exclusions(filter_list& list, std::span<__u64> entries) {
  for (size_t i = 0; i < entries.size(); ++i) {
    if (list.wanted >> i & 1) entries[i] = kNobodys;
  }
  list.wanted = 0;
}

filter_rules exclusions_of(filter_rules rules) {
  keep_exclusions(rules.pids, rules.pid);
  keep_exclusions(rules.uids, rules.uid);
  keep_exclusions(rules.cgroups, rules.cgroup);
  for (size_t i = 0; i < FILTER_VALUES; ++i) {
    if (rules.comms.wanted >> i & 1) rules.comm[i] = {.value = {kNobodys, kNobodys}, .mask = {}};
  }
  rules.comms.wanted = 0;
  return rules;
}

}  // namespace

HolderFilter::HolderFilter(const filter_rules& rules) : rules_(rules), exclusions_(exclusions_of(rules)) {}

bool HolderFilter::wants(const ::owner& holder) const { return filter_owner(&rules_, &holder) != 0; }

bool HolderFilter::excludes(const ::owner& holder) const { return filter_owner(&exclusions_, &holder) == 0; }

bool HolderFilter::passes_without_holders() const { return filter_owner(&rules_, nullptr) != 0; }

filter_rules without_owner_rules(filter_rules rules) {
  rules.pids = rules.uids = rules.cgroups = rules.comms = {};
  rules.containers = 0;
  return rules;
}

::owner owner_from(const holder& of_event) {
  ::owner owner = {};
  owner.pid = of_event.pid;
  owner.uid = of_event.uid;
  owner.cgroup_id = of_event.cgroup_id;
  owner.source = OWNER_SNAPSHOT;
  memcpy(owner.comm, of_event.comm, sizeof owner.comm);
  return owner;
}

}  // namespace sockeye
