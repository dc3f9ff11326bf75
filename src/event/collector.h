// SPDX-License-Identifier: Apache-2.0
// What a collector's folder says of itself. The list of all collectors is generated from the folders' names.
#pragma once

#include <span>
#include <string_view>

#include "event/field.h"
#include "event/wire.h"

namespace sockeye {

// A set of TCP states, as bits 1 << state.
using StateSet = uint32_t;
constexpr StateSet kAllStates = ~0u;

template <typename... States>
constexpr StateSet state_set(States... of) {
  return (0u | ... | (1u << of));
}

struct Collector {
  EventType event;               // its name is the folder's name and the word on the command line
  std::string_view summary;      // one line, for `list` and --help
  bool needs_owner = true;       // load the hooks from which owners are learned
  bool needs_entry = true;       // of each socket (implied by needs_owner); else hooks have no time, cookie and entry
  StateSet enters = kAllStates;  // the states whose being entered its handler at set_state is for
  bool has_stream = true;        // its events are a stream of their own; else a verb reads what it gathers
  bool has_rows = false;         // counts in the kernel in place of events (bpf/rows.h): no ring
  bool snapshot = false;         // tells what there is, once, from iterators: no ring, and nothing is attached
  // A map of it whose name users know; its others are called <name>_...
  std::string_view known_map = {};
  // The collector whose events it counts: `sockeye <totals_of> --totals`; its views are what can be asked for with
  // --by.
  std::string_view totals_of = {};
};

// A handler: collectors/<collector>/on_<hook>.bpf.h exists.
struct Handler {
  std::string_view collector;
  std::string_view hook;
};

// Both sorted by name; made by CMake from the folders.
std::span<const Collector* const> collectors();
std::span<const Handler> handlers();

const Collector* find_collector(std::string_view name);
const EventType* find_event_type(uint16_t kind);

}  // namespace sockeye
