// SPDX-License-Identifier: Apache-2.0
#include "aggregate/totals.h"

#include <algorithm>
#include <cstring>

#include "source/row_sweep.h"

namespace sockeye {
namespace {

const std::string kOther = "other";  // shorter than any key of numbers, and no name of a container

template <typename... Parts>
std::string joined(const Parts&... parts) {
  std::string key;
  (key.append(reinterpret_cast<const char*>(&parts), sizeof parts), ...);
  return key;
}

socket_event& head_of(std::byte* event) { return *reinterpret_cast<socket_event*>(event); }

bool is_process(const ::owner& who) { return who.source != OWNER_UNKNOWN && who.source != OWNER_KERNEL; }

uint64_t rank_of(const TotalsGroup& group, const Field& field) {
  uint64_t value;
  memcpy(&value, group.event.data() + field.offset, sizeof value);
  return value;
}

// Containers of one id that different users speak of are different ones.
std::string key_of_container(const Context& where) {
  return "container " + where.container + (where.container.empty() ? "" : " " + where.container_user);
}

}  // namespace

Totals::Totals(const EventType& type, TotalsBy by, size_t most_groups)
    : type_(type), by_(by), most_groups_(most_groups) {
  const auto sum = std::find_if(type.own.begin(), type.own.end(),
                                [](const Field& field) { return field.fold == Fold::kSum && field.size == 8; });
  if (sum != type.own.end()) rank_ = &*sum;
  group_ = find_field(type, "group");
  interval_ = find_field(type, "interval_us");
}

// By what groups are told apart. Of processes that are not known their sockets are one group each: unknown, kernel. A
// process of which nobody knows where it runs is in no container that is known.
std::string Totals::key_of(const socket_event& body, const Context* context) const {
  const ::owner& who = body.owner;
  const std::string process = is_process(who) ? joined(who.start_ns, who.pid) : joined(uint64_t{0}, who.source);
  if (by_ == TotalsBy::kConnection) return joined(body.socket) + process;
  if (by_ == TotalsBy::kProcess) return process;
  if (!is_process(who)) return process;
  return context ? key_of_container(*context) : joined(uint64_t{0}, uint8_t{OWNER_UNKNOWN});
}

void Totals::name_group(std::byte* event, std::string_view name) const {
  if (!group_) return;
  for (const EnumValue& value : group_->values) {
    if (value.name == name) set_number(*group_, event, value.value);
  }
}

// What is the same for the whole group stays of its first row.
void Totals::begin_group(TotalsGroup& group, const std::byte* row, const Context* context) const {
  group.event.assign(row, row + type_.size);
  socket_event& head = head_of(group.event.data());
  const ::owner who = head.owner;
  if (context) set_context(group, *context);
  if (by_ == TotalsBy::kConnection) return;
  head.socket = {};
  head.owner.tid = 0;
  memset(head.owner.thread, 0, sizeof head.owner.thread);
  if (who.source == OWNER_KERNEL) name_group(group.event.data(), "kernel");
  if (who.source == OWNER_UNKNOWN) name_group(group.event.data(), "unknown");
  if (by_ == TotalsBy::kProcess) return;
  head.owner = {};
  if (!is_process(who)) return;
  if (!context) return name_group(group.event.data(), "unknown");
  if (context->container.empty()) name_group(group.event.data(), "no_container");
}

// A container may have several units and cgroups.
void Totals::set_context(TotalsGroup& group, const Context& context) const {
  group.context = context;
  if (by_ != TotalsBy::kContainer) return;
  group.context->unit.clear();
  group.context->cgroup_path.clear();
}

void Totals::add(const std::byte* row, bool is_other, const Context* context) {
  const auto& body = *reinterpret_cast<const socket_event*>(row);
  std::string key = is_other ? kOther : key_of(body, context);
  auto found = groups_.find(key);
  if (found == groups_.end() && groups_.size() >= most_groups_) {
    key = kOther;
    found = groups_.find(key);
  }
  if (found != groups_.end()) {
    TotalsGroup& group = found->second;
    // The name may have come meanwhile.
    if (context && key != kOther && (!group.context || group.context->container_name != context->container_name)) {
      set_context(group, *context);
    }
    return fold_event(type_, group.event.data(), row);
  }
  TotalsGroup& group = groups_[key];
  if (key != kOther) return begin_group(group, row, context);
  group.event.assign(row, row + type_.size);
  socket_event& head = head_of(group.event.data());
  head.socket = {};
  head.owner = {};
  name_group(group.event.data(), kOther);
}

std::vector<TotalsGroup> Totals::take(uint64_t time_ns, uint64_t interval_ns) {
  std::vector<TotalsGroup> taken;
  taken.reserve(groups_.size());
  for (auto& [key, group] : groups_) {
    socket_event& head = head_of(group.event.data());
    head.header.time_ns = time_ns;
    head.header.cpu = 0;
    // Nobody acts on what is added up.
    head.context = {};
    head.context.pid = head.owner.pid;
    head.context.tid = head.owner.tid;
    memcpy(head.context.comm, head.owner.thread, sizeof head.context.comm);
    if (interval_) set_number(*interval_, group.event.data(), interval_ns);
    taken.push_back(std::move(group));
  }
  groups_.clear();
  if (rank_) {
    std::sort(taken.begin(), taken.end(), [this](const TotalsGroup& a, const TotalsGroup& b) {
      const uint64_t of_a = rank_of(a, *rank_), of_b = rank_of(b, *rank_);
      return of_a != of_b ? of_a > of_b : a.event < b.event;
    });
  }
  return taken;
}

}  // namespace sockeye
