// SPDX-License-Identifier: Apache-2.0
// Filters that leave the verifier nothing to skip.
#pragma once

#include <cstring>
#include <vector>

#include "bpf/filter_rules.h"
#include "event/wire.h"

namespace sockeye {

// So many values in each filter, 0 to 16; none is no filter at all. Values that are all ones are as good as any: the
// verifier walks through all of them. Full means 64 for --pid.
inline filter_rules full_filters(unsigned values) {
  filter_rules rules = {};
  if (values == 0) return rules;
  memset(&rules, 0xff, sizeof rules);  // no list is dead code
  rules.family = AF_INET;
  rules.direction = FILTER_DIRECTION_OUT;
  if (values >= FILTER_VALUES) return rules;
  std::vector<filter_list*> lists = {&rules.pids, &rules.uids, &rules.netns_inodes, &rules.cgroups, &rules.comms};
  for (filter_list& list : rules.addresses) lists.push_back(&list);
  for (filter_list& list : rules.ports) lists.push_back(&list);
  for (filter_list* list : lists) list->used = list->wanted = (1ull << values) - 1;
  return rules;
}

}  // namespace sockeye
