// SPDX-License-Identifier: Apache-2.0
#include "aggregate/holder_join.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sockeye {

HolderJoin::HolderJoin(const SocketHolders& holders, const filter_rules& rules, ContainerQuestions containers)
    : holders_(holders), filter_(rules), containers_(std::move(containers)) {}

std::span<const std::byte> HolderJoin::complete(std::span<const std::byte> visit) {
  if (visit.size() != sizeof(who_visit)) return {};
  who_visit visited;
  memcpy(&visited, visit.data(), sizeof visited);
  const Held held = holders_.of(visited.key);
  const ::owner* owner = choose(held);
  const bool passes = owner || (held.empty() && filter_.passes_without_holders() && !containers_.needs_holder);
  if (!passes) return {};
  who_event& event = visited.event;
  event.base.owner = owner ? *owner : ::owner{};
  event.base.context = {};
  if (owner) {
    memcpy(event.base.context.comm, owner->thread, sizeof owner->thread);
    event.base.context.pid = owner->pid;
    event.base.context.tid = owner->tid;
  }
  append(event, held);
  return std::span(event_).first(event.base.header.size);
}

bool HolderJoin::excludes(const ::owner& holder) const {
  return filter_.excludes(holder) || (containers_.excludes && containers_.excludes(holder));
}

// The first of them that is wanted; null: none is, or one is excluded.
const ::owner* HolderJoin::choose(Held held) const {
  const ::owner* chosen = nullptr;
  for (const SocketHolders::Held& one : held) {
    const ::owner& holder = holders_.owner_of(one);
    if (excludes(holder)) return nullptr;
    if (!chosen && filter_.wants(holder) && (!containers_.wants || containers_.wants(holder))) chosen = &holder;
  }
  return chosen;
}

// That nobody holds it is only known where all processes were looked at.
void HolderJoin::append(who_event& event, Held held) {
  const size_t told_of = std::min(held.size(), kMost);
  const bool is_known = !held.empty() || holders_.limitation().empty();
  event.base.header.size = static_cast<__u16>(sizeof event + told_of * sizeof(holder));
  event.holders = {.left_out = static_cast<__u32>(held.size() - told_of),
                   .at = static_cast<__u16>(is_known ? sizeof event : 0),
                   .count = static_cast<__u16>(told_of),
                   .size = sizeof(holder),
                   ._pad = {}};
  memcpy(event_.data(), &event, sizeof event);
  for (size_t i = 0; i < told_of; ++i) {
    const ::owner& owner = holders_.owner_of(held[i]);
    holder told = {};
    told.cgroup_id = owner.cgroup_id;
    told.pid = owner.pid;
    told.uid = owner.uid;
    told.fd = held[i].fd;
    memcpy(told.comm, owner.comm, sizeof told.comm);
    memcpy(event_.data() + sizeof event + i * sizeof told, &told, sizeof told);
  }
}

}  // namespace sockeye
