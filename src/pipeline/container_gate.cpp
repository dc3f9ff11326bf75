// SPDX-License-Identifier: Apache-2.0
#include "pipeline/container_gate.h"

#include <bpf/bpf.h>

#include <utility>

#include "bpf/filter.h"

namespace sockeye {
filter_rules with_containers(filter_rules rules, const ContainerFilter& filter, const Enricher& enricher) {
  if (!filter.is_active()) return rules;
  rules.active = 1;
  rules.containers = FILTER_CONTAINERS;
  if (!filter.wanted.empty()) rules.containers |= FILTER_CONTAINERS_WANTED;
  if (enricher.mounts().has_v1) rules.containers |= FILTER_CONTAINERS_BY_PROCESS;
  return rules;
}

ContainerGate::ContainerGate(ContainerFilter filter, Enricher& enricher, int verdicts)
    : filter_(std::move(filter)), enricher_(enricher), verdicts_(verdicts) {}

void ContainerGate::seed() {
  if (!filter_.is_active() || verdicts_ < 0) return;
  enricher_.each_cgroup([this](const container_key& key, const Context& context) { judge(key, context); });
}

void ContainerGate::hear_of(const container_key& cgroup) {
  constexpr size_t kMost = 256;
  if (!decide(cgroup) && missed_.size() < kMost) missed_.push_back(cgroup);
}

void ContainerGate::retry() {
  for (const container_key& cgroup : missed_) decide(cgroup);
  missed_.clear();
}

bool ContainerGate::decide(const container_key& cgroup) {
  const Context* context = enricher_.learn(cgroup);
  if (context && filter_.is_active() && verdicts_ >= 0) judge(cgroup, *context);
  return context != nullptr;
}

// What is to be left out is not shown before it is known that it is something else, unless nobody tells in time.
bool ContainerGate::is_undecided(const Context& context) const {
  return !filter_.excluded.empty() && context.container_name.empty() && enricher_.is_name_due(context);
}

// Not of a container whose name a daemon has been asked for: its events are decided here until it answers.
void ContainerGate::judge(const container_key& cgroup, const Context& context) {
  if (is_undecided(context)) return;
  const bool passes = filter_.passes(&context);
  if (passes || !enricher_.is_name_awaited(context)) tell(cgroup, passes);
}

bool ContainerGate::wants(const ::owner& process) { return filter_.wants(enricher_.of(process)); }

bool ContainerGate::excludes(const ::owner& process) {
  const Context* context = enricher_.of(process);
  return (context && is_undecided(*context)) || filter_.excludes(context);
}

std::function<bool(const Event&)> ContainerGate::wanted() {
  if (!filter_.is_active()) return {};
  return [this](const Event& event) { return passes(event); };
}

bool ContainerGate::passes(const Event& event) {
  const owner* who = owner_of(event);
  if (!who) return true;  // nobody's
  if (event.context && is_undecided(*event.context)) return false;
  const bool passes = filter_.passes(event.context);
  if (!event.context || verdicts_ < 0) return passes;  // what is not known now may be by the next event
  const container_key key = enricher_.key_of(*who);
  // Those that pass come again and again. One that does not has been here for the last time, unless the map, whose
  // entries go when others need the room, has forgotten it.
  if (!passes || !told_.contains(key)) judge(key, *event.context);
  return passes;
}

void ContainerGate::tell(const container_key& key, bool passes) {
  if (passes) {
    if (told_.size() >= CONTAINER_VERDICTS) told_.clear();
    told_.insert(key);
  }
  const uint32_t verdict = passes ? VERDICT_PASSES : VERDICT_FAILS;
  bpf_map_update_elem(verdicts_, &key, &verdict, BPF_ANY);  // where it fails, the next event will be decided here, too
}

}  // namespace sockeye
