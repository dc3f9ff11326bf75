// SPDX-License-Identifier: Apache-2.0
// The filters of a run, as the kernel side applies them (bpf/filter.h), for events that are there already. It knows no
// collector: what a filter is about is found by the names of fields.
#pragma once

#include <string>
#include <vector>

#include "bpf/filter_rules.h"
#include "event/event.h"
#include "source/holder_filter.h"

namespace sockeye {

class ReplayFilter {
 public:
  // `interfaces`: names that the rules for scopes number from 1, in place of a namespace's inode number.
  ReplayFilter(const EventType& type, const filter_rules& rules, const std::vector<std::string>& interfaces = {});

  // `event` is of the type. Events that are nobody's pass.
  bool passes(const Event& event) const;

 private:
  bool passes_socket(const socket_event& body, const Event& event) const;
  bool passes_holders(const socket_event& body, const Event& event) const;
  bool passes_ends(const filter_rules& rules, const socket_event& body, const socket_id& socket,
                   const Event& event) const;

  const filter_rules& rules_;
  std::vector<std::string> interfaces_;
  filter_rules socket_rules_;  // without what holders are asked
  HolderFilter holder_filter_;
  bool src_opened_;
  const Field* daddr_;
  const Field* dport_;
  const Field* old_state_;
  const Field* new_state_;
  const Field* state_;
  const Field* holders_;
};

}  // namespace sockeye
