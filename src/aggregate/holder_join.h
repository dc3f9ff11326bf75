// SPDX-License-Identifier: Apache-2.0
// Puts the holders of a socket behind the event of a visit to it, says which of them is shown as its owner, and leaves
// out what the filters about owners do not want.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <span>

#include "aggregate/socket_holders.h"
#include "collectors/who/who.event.h"
#include "event/event.h"
#include "source/holder_filter.h"

namespace sockeye {

// --container, asked of a process.
struct ContainerQuestions {
  std::function<bool(const ::owner&)> wants, excludes;  // empty: there is no --container
  bool needs_holder = false;                            // a container is wanted: what nobody holds is in none
};

class HolderJoin {
 public:
  // More would not fit into an event.
  static constexpr size_t kMost = (kLongestEvent - sizeof(who_event)) / sizeof(holder);

  // `holders` is not owned.
  HolderJoin(const SocketHolders& holders, const filter_rules& rules, ContainerQuestions containers);

  // The event as it goes on, valid until the next call; empty: it is left out. `visit` is a who_visit.
  std::span<const std::byte> complete(std::span<const std::byte> visit);

 private:
  using Held = std::span<const SocketHolders::Held>;

  bool excludes(const ::owner& holder) const;
  const ::owner* choose(Held held) const;
  void append(who_event& event, Held held);

  const SocketHolders& holders_;
  HolderFilter filter_;
  ContainerQuestions containers_;
  alignas(8) std::array<std::byte, kLongestEvent> event_ = {};
};

}  // namespace sockeye
