// SPDX-License-Identifier: Apache-2.0
#include "source/replay_filter.h"

#include <algorithm>
#include <cstring>

#include "bpf/filter.h"

namespace sockeye {
namespace {

uint8_t state_in(const Field* field, const Event& event) { return static_cast<uint8_t>(number_of(*field, event)); }

}  // namespace

ReplayFilter::ReplayFilter(const EventType& type, const filter_rules& rules, const std::vector<std::string>& interfaces)
    : rules_(rules),
      interfaces_(interfaces),
      socket_rules_(without_owner_rules(rules)),
      holder_filter_(rules),
      src_opened_(type.src_opened),
      daddr_(find_field(type, "daddr")),
      dport_(find_field(type, "dport")),
      old_state_(find_field(type, "old_state")),
      new_state_(find_field(type, "new_state")),
      state_(find_field(type, "state")),
      holders_(find_field(type, "holders")) {}

bool ReplayFilter::passes(const Event& event) const {
  if (!owner_of(event)) return true;
  if (!socket_of(event)) return filter_passes_process(&rules_, owner_of(event)) != 0;
  const auto& body = *reinterpret_cast<const socket_event*>(event.bytes());
  if (!passes_socket(body, event)) return false;
  if (holders_ && !passes_holders(body, event)) return false;
  if (old_state_ && new_state_ &&
      !filter_passes_transition(&rules_, state_in(old_state_, event), state_in(new_state_, event))) {
    return false;
  }
  return !state_ || filter_passes_state(&rules_, state_in(state_, event));
}

// Where interfaces are named, the place of the namespace is their names': it is asked for itself.
bool ReplayFilter::passes_socket(const socket_event& body, const Event& event) const {
  const filter_rules& rules = holders_ ? socket_rules_ : rules_;
  if (interfaces_.empty()) return passes_ends(rules, body, body.socket, event);
  filter_rules others = rules;
  others.netns_inodes = {};
  socket_id socket = body.socket;
  socket.netns = 0;
  if (event.interface) {
    const auto found = std::find(interfaces_.begin(), interfaces_.end(), event.interface->name);
    if (found != interfaces_.end()) socket.netns = static_cast<__u32>(found - interfaces_.begin()) + 1;
  }
  return filter_netns(&rules, body.socket.netns) && passes_ends(others, body, socket, event);
}

// Of a client what is shown as DST is what it asked for, which its socket may not have.
bool ReplayFilter::passes_ends(const filter_rules& rules, const socket_event& body, const socket_id& socket,
                               const Event& event) const {
  if (!src_opened_) return filter_passes(&rules, &socket, &body.owner) != 0;
  asked_end asked = {};
  const bool is_client = socket.role == ROLE_CLIENT && daddr_ && dport_;
  if (is_client) {
    memcpy(asked.address, event.bytes() + daddr_->offset, sizeof asked.address);
    asked.port = static_cast<uint16_t>(number_of(*dport_, event));
  }
  return filter_passes_by_opener(&rules, &socket, &body.owner, is_client ? &asked : nullptr) != 0;
}

// Where the list is not there, which older versions did not event, the owner is all that is known.
bool ReplayFilter::passes_holders(const socket_event& body, const Event& event) const {
  const Elements elements = elements_of(*holders_, event);
  if (elements.count == 0) {
    const bool is_known = body.owner.source != OWNER_UNKNOWN;
    return is_known ? holder_filter_.wants(body.owner) : holder_filter_.passes_without_holders();
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

}  // namespace sockeye
