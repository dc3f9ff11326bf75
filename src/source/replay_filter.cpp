// SPDX-License-Identifier: Apache-2.0
#include "source/replay_filter.h"

#include "bpf/filter.h"

namespace sockeye {
namespace {

uint8_t state_in(const Field* field, const Record& record) { return static_cast<uint8_t>(number_of(*field, record)); }

}  // namespace

ReplayFilter::ReplayFilter(const EventType& type, const filter_rules& rules)
    : rules_(rules),
      is_of_socket_(!type.common.empty()),
      src_opened_(type.src_opened),
      old_state_(find_field(type, "old_state")),
      new_state_(find_field(type, "new_state")),
      state_(find_field(type, "state")) {}

bool ReplayFilter::passes(const Record& record) const {
  if (!is_of_socket_) return true;
  const auto& event = *reinterpret_cast<const socket_event*>(record.bytes());
  const auto passes = src_opened_ ? filter_passes_by_opener : filter_passes;
  if (!passes(&rules_, &event.socket, &event.owner)) return false;
  if (old_state_ && new_state_ &&
      !filter_passes_transition(&rules_, state_in(old_state_, record), state_in(new_state_, record))) {
    return false;
  }
  return !state_ || filter_passes_state(&rules_, state_in(state_, record));
}

}  // namespace sockeye
