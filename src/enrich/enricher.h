// SPDX-License-Identifier: Apache-2.0
// Adds to an owner what user space knows about where it runs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "bpf/filter_rules.h"
#include "enrich/cgroup_names.h"
#include "enrich/container_names.h"
#include "enrich/interface_names.h"
#include "event/context.h"
#include "event/wire.h"

inline bool operator==(const container_key& a, const container_key& b) {
  return a.id == b.id && a.pid == b.pid && a.kind == b.kind;
}

namespace sockeye {

struct EnrichCounters {
  uint64_t unresolved = 0;  // look-ups of a cgroup that had no answer; an event that meets a known failure adds none
  uint64_t no_room = 0;     // events left without context because the table was full within a batch
  uint64_t evicted = 0;     // contexts forgotten, least recently used first
  CgroupLookups lookups;    // how the look-ups ended
};

struct ContainerKeyHash {
  size_t operator()(const container_key& key) const;
};

// A cgroup is looked up once, when it is made, where somebody tells of it (learn()), else when the first event of it
// comes; its id does not recycle. Contexts outlive their cgroup, so late events of a dead container still have a name.
// Not thread-safe.
//
// Where v1 hierarchies are mounted, an owner in the root of its hierarchy is looked up by process instead: its context
// is where the process was when it was first seen.
class Enricher {
 public:
  static constexpr size_t kCapacity = 4096;
  static constexpr unsigned kMaxTries = 8;  // processes by which a cgroup that could not be named is tried again

  // `root` is put before every path that is opened; "" is the machine itself. `capacity`: contexts kept, at least 4.
  explicit Enricher(const std::string& root = "", size_t capacity = kCapacity);

  // Ends the life of all pointers that of() has returned: when the table is more than three quarters full the less
  // recently used half of it goes.
  void begin_batch();

  // nullptr: nothing is known. Valid until the next begin_batch(). No allocation where the cgroup is known already.
  const Context* of(const ::owner& who);

  // What the interface of its link-local addresses is called. Valid until the next begin_batch(); null as
  // InterfaceNames.
  const InterfaceName* interface_of(const socket_id& socket) { return interfaces_.of(socket); }

  // For who shows everything at once: asks for the names of all containers that there are, and waits for daemons to
  // answer, so long at most. Where no daemon is running there is nothing to wait for.
  void prepare(std::chrono::milliseconds limit);

  // Whether the name of its container may still come, and whether it is worth waiting for.
  bool is_name_awaited(const Context& context) const { return containers_.is_awaited(context); }
  bool is_name_due(const Context& context) const { return containers_.is_due(context); }

  // Of a cgroup that was made just now: looks it up before there is a process in it, and keeps what it finds as if an
  // event had come. nullptr: it cannot be found (yet).
  const Context* learn(const container_key& cgroup);

  // By what the context of an owner is found: owners with the same key have the same.
  container_key key_of(const ::owner& who) const;

  // Calls `found` for each cgroup that there is now, of both hierarchies that owners are told by, in at most
  // CgroupNames::kWalkLimit directories of each. They are not kept.
  void each_cgroup(const std::function<void(const container_key&, const Context&)>& found);

  EnrichCounters counters() const;
  const CgroupMounts& mounts() const { return names_.mounts(); }

 private:
  struct Entry {
    Context context;
    uint64_t used_in_batch = 0;
    uint32_t tried_pid = 0;
    uint16_t tries = 0;
    bool known = false;
  };

  void take_names();
  Context context_of(uint8_t hierarchy, std::string_view path);
  void look_up(const container_key& key, const ::owner& who, Entry* entry);

  CgroupNames names_;
  ContainerNames containers_;
  InterfaceNames interfaces_;
  size_t capacity_;
  std::unordered_map<container_key, Entry, ContainerKeyHash> entries_;
  const std::pair<const container_key, Entry>* last_ = nullptr;  // in this batch: events come in runs of one owner
  uint64_t batch_ = 0;
  EnrichCounters counters_;
};

}  // namespace sockeye
