// SPDX-License-Identifier: Apache-2.0
// Adds up rows that were counted in the kernel by connection and owner (bpf/rows.h), to what was asked for: totals of a
// connection, a process or a container. Bounded: what exceeds the bound goes into one group, "other".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "event/context.h"
#include "event/field.h"
#include "event/wire.h"

namespace sockeye {

enum class TotalsBy : uint8_t { kConnection, kProcess, kContainer };

// The event of a group.
struct TotalsGroup {
  std::vector<std::byte> event;    // of the type; begins with struct socket_event
  std::optional<Context> context;  // of its owners, what they have in common; none: nothing is known
};

class Totals {
 public:
  static constexpr size_t kMostGroups = 10'000;

  // The type's events begin with struct socket_event, its first Fold::kSum field is what groups are ranked by, and its
  // enumeration `group` has names for what has none.
  Totals(const EventType& type, TotalsBy by, size_t most_groups = kMostGroups);

  // `row`: an event of the type. `is_other`: of all that the kernel side had no room for. `context`: of its owner;
  // null: nothing is known.
  void add(const std::byte* row, bool is_other, const Context* context);

  // All groups, the largest first, each with `time_ns` and the time for which was counted. Begins anew.
  std::vector<TotalsGroup> take(uint64_t time_ns, uint64_t interval_ns);

 private:
  std::string key_of(const socket_event& body, const Context* context) const;
  void begin_group(TotalsGroup& group, const std::byte* row, const Context* context) const;
  void set_context(TotalsGroup& group, const Context& context) const;
  void name_group(std::byte* event, std::string_view name) const;

  const EventType& type_;
  TotalsBy by_;
  size_t most_groups_;
  const Field* rank_ = nullptr;
  const Field* group_ = nullptr;
  const Field* interval_ = nullptr;
  std::unordered_map<std::string, TotalsGroup> groups_;
};

}  // namespace sockeye
