// SPDX-License-Identifier: Apache-2.0
#include "enrich/enricher.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "bpf/filter.h"
#include "enrich/cgroup_path.h"

namespace sockeye {
// The finisher of splitmix64: ids are counted up, start times are multiples of something.
size_t ContainerKeyHash::operator()(const container_key& key) const {
  uint64_t hash = key.id ^ (static_cast<uint64_t>(key.pid) << 32) ^ (static_cast<uint64_t>(key.kind) << 20);
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

Enricher::Enricher(const std::string& root, size_t capacity)
    : names_(root), containers_(root), capacity_(std::max<size_t>(capacity, 4)) {
  entries_.reserve(capacity_);
}

void Enricher::begin_batch() {
  ++batch_;
  last_ = nullptr;
  names_.begin_batch();
  containers_.begin_batch();
  interfaces_.begin_batch();
  take_names();
  if (entries_.size() <= capacity_ - capacity_ / 4) return;
  std::vector<uint64_t> ages;
  ages.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) ages.push_back(entry.used_in_batch);
  const size_t surplus = entries_.size() - capacity_ / 2;
  const auto oldest_kept = ages.begin() + static_cast<std::ptrdiff_t>(surplus);
  std::nth_element(ages.begin(), oldest_kept, ages.end());
  const uint64_t limit = *oldest_kept;
  size_t older = 0;
  for (const uint64_t age : ages) older += age < limit;
  size_t of_the_limit = surplus - older;
  counters_.evicted += std::erase_if(entries_, [&](const auto& item) {
    const uint64_t age = item.second.used_in_batch;
    return age < limit || (age == limit && of_the_limit > 0 && of_the_limit-- > 0);
  });
}

const Context* Enricher::of(const ::owner& who) {
  if (who.cgroup_id == 0) return nullptr;
  const container_key key = key_of(who);
  if (last_ && last_->second.known && last_->first == key) return &last_->second.context;
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() >= capacity_) {
      ++counters_.no_room;
      return nullptr;
    }
    found = entries_.try_emplace(key).first;
    look_up(key, who, &found->second);
  } else if (Entry& entry = found->second; !entry.known && entry.tried_pid != who.pid && entry.tries < kMaxTries) {
    look_up(key, who, &entry);
  }
  found->second.used_in_batch = batch_;
  last_ = &*found;
  return found->second.known ? &found->second.context : nullptr;
}

void Enricher::prepare(std::chrono::milliseconds limit) {
  if (!containers_.has_daemons()) return;
  each_cgroup([](const container_key&, const Context&) {});
  containers_.wait(limit);
  take_names();
}

void Enricher::take_names() {
  if (!containers_.take_answers()) return;
  for (auto& [key, entry] : entries_) containers_.complete(&entry.context);
}

const Context* Enricher::learn(const container_key& cgroup) {
  const auto found = entries_.find(cgroup);
  if (found != entries_.end()) return found->second.known ? &found->second.context : nullptr;
  if (entries_.size() >= capacity_) return nullptr;  // it is looked up with its first event
  ::owner nobody = {};
  nobody.cgroup_id = cgroup.id;
  nobody.cgroup_hierarchy = static_cast<uint8_t>(cgroup.kind);
  Entry entry;
  look_up(cgroup, nobody, &entry);
  if (!entry.known) return nullptr;
  entry.used_in_batch = batch_;
  return &entries_.emplace(cgroup, std::move(entry)).first->second.context;
}

EnrichCounters Enricher::counters() const {
  EnrichCounters counters = counters_;
  counters.lookups = names_.lookups();
  return counters;
}

container_key Enricher::key_of(const ::owner& who) const { return filter_container_key(&who, names_.mounts().has_v1); }

void Enricher::each_cgroup(const std::function<void(const container_key&, const Context&)>& found) {
  names_.visit_all([&](uint8_t hierarchy, uint64_t id, const std::string& path) {
    found(container_key{id, 0, hierarchy}, context_of(hierarchy, path));
  });
}

void Enricher::look_up(const container_key& key, const ::owner& who, Entry* entry) {
  entry->tried_pid = who.pid;
  ++entry->tries;
  std::optional<std::string> path;
  if (key.kind == CONTAINER_BY_PROCESS) path = names_.v1_path_of(who.pid, who.start_ns);
  const bool by_process = path.has_value();
  if (!path) path = names_.path_of(who.cgroup_hierarchy, who.cgroup_id, who.pid, who.start_ns);
  entry->known = path.has_value();
  if (!path) {
    ++counters_.unresolved;
    return;
  }
  entry->context = context_of(by_process ? uint8_t{CGROUP_V1_MEMORY} : who.cgroup_hierarchy, *path);
}

// The container is the innermost of those that root named. Where there is none, who named it is told, too.
Context Enricher::context_of(uint8_t hierarchy, std::string_view path) {
  Context context = parse_cgroup_path(path);
  if (context.container.empty() && context.pod.empty()) return context;
  CgroupNaming naming = names_.naming_of(hierarchy, path);
  if (!naming.user.empty()) {
    Context given = parse_cgroup_path(path.substr(0, naming.given));
    if (given.container.empty()) {
      context.container_user = std::move(naming.user);
    } else {
      context.container = std::move(given.container);
      context.runtime = std::move(given.runtime);
      context.pod = std::move(given.pod);
    }
  }
  containers_.complete(&context);
  return context;
}

}  // namespace sockeye
