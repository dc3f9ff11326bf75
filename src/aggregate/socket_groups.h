// SPDX-License-Identifier: Apache-2.0
// The sockets that a pass visited, per state and by what they have in common: the process's name, the container, the
// network namespace, or the port of the service. Each where it was visited: unlike the counters they are of no single
// time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/counting_window.h"
#include "event/context.h"

namespace sockeye {

enum class GroupBy : uint8_t { kComm, kContainer, kNetns, kPort };

std::string_view name_of(GroupBy by);  // comm, container, netns, port
std::optional<GroupBy> parse_group_by(std::string_view word);
inline bool needs_owners(GroupBy by) { return by == GroupBy::kComm || by == GroupBy::kContainer; }

struct SocketGroup {
  enum class Kind : uint8_t {
    kKnown,
    kUnknown,      // no owner is known, or nothing of its cgroup
    kKernel,       // sockets of the kernel's own
    kNoContainer,  // of a process that runs in no container
    kOther,        // groups that there was no room for, together
  };
  Kind kind = Kind::kKnown;
  std::string name;            // of kComm untrusted bytes, of kContainer an id or a printable name; else empty
  std::string container_name;  // of kContainer what people call it, untrusted bytes; empty where nobody tells
  std::string
      container_user;         // of kContainer as Context::container_user: those of different users are different groups
  uint64_t number = 0;        // of kNetns the inode number, of kPort the port; else 0
  uint64_t netns_cookie = 0;  // of kNetns; 0: the kernel has not given it one
  StateCounts sockets{};      // by state as ss shows it
  int64_t total = 0;
};

struct GroupedSockets {
  GroupBy by;
  std::vector<SocketGroup> groups;  // most sockets first, then by name and number; kOther is the last
  size_t folded = 0;                // groups that are in kOther
};

class SocketGroups {
 public:
  using ContextOf = std::function<const Context*(const ::owner&)>;

  static constexpr size_t kMost = 10'000;

  // `context_of` tells where an owner runs, null where nothing is known; it is asked by kContainer alone. More than
  // `most` groups are not told apart: the smallest of them go into one.
  explicit SocketGroups(GroupBy by, ContextOf context_of = {}, size_t most = kMost);

  void clear() { visits_.clear(); }
  void visited(const counts_group_visit& visit) { visits_.push_back(visit); }

  // Of what was visited since clear(), a socket that was visited twice once. A half-open request belongs to the owner
  // of a listener on its port. The port is the local one where that socket's namespace has a listener on it, else
  // the remote one.
  GroupedSockets grouped() const;

 private:
  struct Listeners;

  SocketGroup key_of(const counts_group_visit& visit, const Listeners& listeners) const;
  SocketGroup key_of_owner(const counts_group_visit& visit) const;
  std::vector<const counts_group_visit*> each_once() const;

  GroupBy by_;
  ContextOf context_of_;
  size_t most_;
  std::vector<counts_group_visit> visits_;
};

}  // namespace sockeye
