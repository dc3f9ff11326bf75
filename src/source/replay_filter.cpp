// SPDX-License-Identifier: Apache-2.0
#include "source/replay_filter.h"

#include <cstring>

#include "bpf/filter.h"

namespace sockeye {
namespace {

uint8_t state_in(const Field* field, const Record& record) { return static_cast<uint8_t>(number_of(*field, record)); }

}  // namespace

ReplayFilter::ReplayFilter(const EventType& type, const filter_rules& rules)
    : rules_(rules),
      socket_rules_(without_owner_rules(rules)),
      holder_filter_(rules),
      is_of_socket_(!type.common.empty()),
      src_opened_(type.src_opened),
      daddr_(find_field(type, "daddr")),
      dport_(find_field(type, "dport")),
      old_state_(find_field(type, "old_state")),
      new_state_(find_field(type, "new_state")),
      state_(find_field(type, "state")),
      holders_(find_field(type, "holders")) {}

bool ReplayFilter::passes(const Record& record) const {
  if (!is_of_socket_) return true;
  const auto& event = *reinterpret_cast<const socket_event*>(record.bytes());
  const filter_rules& rules = holders_ ? socket_rules_ : rules_;
  if (src_opened_ ? !passes_by_opener(event, record) : !filter_passes(&rules, &event.socket, &event.owner))
    return false;
  if (holders_ && !passes_holders(event, record)) return false;
  if (old_state_ && new_state_ &&
      !filter_passes_transition(&rules_, state_in(old_state_, record), state_in(new_state_, record))) {
    return false;
  }
  return !state_ || filter_passes_state(&rules_, state_in(state_, record));
}

// Where the list is not there, which older versions did not record, the owner is all that is known.
bool ReplayFilter::passes_holders(const socket_event& event, const Record& record) const {
  const Elements elements = elements_of(*holders_, record);
  if (elements.count == 0) {
    const bool is_known = event.owner.source != OWNER_UNKNOWN;
    return is_known ? holder_filter_.wants(event.owner) : holder_filter_.passes_without_holders();
  }
  bool is_wanted = false;
  for (size_t i = 0; i < elements.count; ++i) {
    holder told;
    memcpy(&told, elements.at(i).bytes(), sizeof told);
    const ::owner owner = owner_from(told);
    if (holder_filter_.excludes(owner)) return false;
    is_wanted |= holder_filter_.wants(owner);
  }
  return is_wanted;
}

// Of a client what is shown as DST is what it asked for, which its socket may not have.
bool ReplayFilter::passes_by_opener(const socket_event& event, const Record& record) const {
  asked_end asked = {};
  const bool is_client = event.socket.role == ROLE_CLIENT && daddr_ && dport_;
  if (is_client) {
    memcpy(asked.address, record.bytes() + daddr_->offset, sizeof asked.address);
    asked.port = static_cast<uint16_t>(number_of(*dport_, record));
  }
  return filter_passes_by_opener(&rules_, &event.socket, &event.owner, is_client ? &asked : nullptr);
}

}  // namespace sockeye
