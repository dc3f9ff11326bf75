// SPDX-License-Identifier: Apache-2.0
#include "aggregate/socket_groups.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace sockeye {
namespace {

constexpr std::pair<GroupBy, std::string_view> kNames[] = {
    {GroupBy::kComm, "comm"},
    {GroupBy::kContainer, "container"},
    {GroupBy::kNetns, "netns"},
    {GroupBy::kPort, "port"},
};

// The largest ones stay.
void fold(GroupedSockets& all, size_t most) {
  if (all.groups.size() <= most) return;
  SocketGroup other;
  other.kind = SocketGroup::Kind::kOther;
  for (size_t i = most; i < all.groups.size(); ++i) {
    const SocketGroup& group = all.groups[i];
    for (size_t state = 0; state < group.sockets.size(); ++state) other.sockets[state] += group.sockets[state];
    other.total += group.total;
  }
  all.folded = all.groups.size() - most;
  all.groups.resize(most);
  all.groups.push_back(std::move(other));
}

}  // namespace

std::string_view name_of(GroupBy by) { return kNames[static_cast<size_t>(by)].second; }

std::optional<GroupBy> parse_group_by(std::string_view word) {
  if (word == "process") return GroupBy::kComm;  // as everywhere; `comm` is what it was called first
  for (const auto& [by, name] : kNames) {
    if (name == word) return by;
  }
  return std::nullopt;
}

// A listener of each port that has one; of several the first visited whose owner is known.
struct SocketGroups::Listeners {
  std::unordered_map<uint64_t, const counts_group_visit*> by_port;

  explicit Listeners(const std::vector<const counts_group_visit*>& visits) {
    for (const counts_group_visit* visit : visits) {
      if (visit->visit.state != TCP_LISTEN) continue;
      const counts_group_visit*& known = by_port[port_key(*visit)];
      if (!known || known->owner_source == OWNER_UNKNOWN) known = visit;
    }
  }

  static uint64_t port_key(const counts_group_visit& visit) { return uint64_t{visit.netns} << 16 | visit.lport; }

  const counts_group_visit* of(const counts_group_visit& visit) const {
    const auto found = by_port.find(port_key(visit));
    return found == by_port.end() ? nullptr : found->second;
  }
};

SocketGroups::SocketGroups(GroupBy by, ContextOf context_of, size_t most)
    : by_(by), context_of_(std::move(context_of)), most_(most) {}

// iter/tcp may visit a socket twice before 6.16. The first sight counts.
std::vector<const counts_group_visit*> SocketGroups::each_once() const {
  std::vector<const counts_group_visit*> visits;
  visits.reserve(visits_.size());
  for (const counts_group_visit& visit : visits_) {
    if (visit.visit.state != TCP_CLOSE && visit.visit.state <= TCP_NEW_SYN_RECV) visits.push_back(&visit);
  }
  const auto which = [](const counts_group_visit* visit) {
    return std::make_pair(visit->visit.socket, visit->visit.is_mini);
  };
  std::stable_sort(visits.begin(), visits.end(), [&](auto* a, auto* b) { return which(a) < which(b); });
  const auto end = std::unique(visits.begin(), visits.end(), [&](auto* a, auto* b) { return which(a) == which(b); });
  visits.erase(end, visits.end());
  return visits;
}

GroupedSockets SocketGroups::grouped() const {
  using Key = std::tuple<SocketGroup::Kind, std::string, std::string, uint64_t>;
  const std::vector<const counts_group_visit*> visits = each_once();
  const Listeners listeners(visits);
  std::map<Key, SocketGroup> groups;
  for (const counts_group_visit* visit : visits) {
    const SocketGroup key = key_of(*visit, listeners);
    SocketGroup& group = groups.try_emplace(Key(key.kind, key.name, key.container_user, key.number), key).first->second;
    ++group.sockets[shown_state(visit->visit)];
    ++group.total;
  }
  GroupedSockets all{by_, {}, 0};
  all.groups.reserve(groups.size());
  for (auto& [key, group] : groups) all.groups.push_back(std::move(group));
  std::stable_sort(all.groups.begin(), all.groups.end(),
                   [](const SocketGroup& a, const SocketGroup& b) { return a.total > b.total; });
  fold(all, most_);
  return all;
}

SocketGroup SocketGroups::key_of(const counts_group_visit& visit, const Listeners& listeners) const {
  SocketGroup key;
  const counts_group_visit* listener = listeners.of(visit);
  switch (by_) {
    case GroupBy::kNetns:
      key.number = visit.netns;
      key.netns_cookie = visit.netns_cookie;
      return key;
    case GroupBy::kPort: key.number = listener ? visit.lport : visit.rport; return key;
    case GroupBy::kComm:
    case GroupBy::kContainer: break;
  }
  return key_of_owner(visit.visit.state == TCP_NEW_SYN_RECV && listener ? *listener : visit);
}

SocketGroup SocketGroups::key_of_owner(const counts_group_visit& visit) const {
  SocketGroup key;
  if (visit.owner_source == OWNER_UNKNOWN) {
    key.kind = SocketGroup::Kind::kUnknown;
  } else if (visit.owner_source == OWNER_KERNEL) {
    key.kind = SocketGroup::Kind::kKernel;
  } else if (by_ == GroupBy::kComm) {
    key.name = text_of(visit.comm, sizeof visit.comm);
  } else {
    ::owner owner = {};
    owner.pid = visit.pid;
    owner.start_ns = visit.start_ns;
    owner.cgroup_id = visit.cgroup_id;
    owner.cgroup_hierarchy = visit.cgroup_hierarchy;
    const Context* context = context_of_ ? context_of_(owner) : nullptr;
    if (!context) {
      key.kind = SocketGroup::Kind::kUnknown;
    } else if (context->container.empty()) {
      key.kind = SocketGroup::Kind::kNoContainer;
    } else {
      key.name = context->container;
      key.container_name = context->container_name;
      key.container_user = context->container_user;
    }
  }
  return key;
}

}  // namespace sockeye
