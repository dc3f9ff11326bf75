// SPDX-License-Identifier: Apache-2.0
// TCP sockets per state, kept by the kernel side in the map tcp_state_map, seeded and checked from here.
//
// A pass opens a window (struct counts_window): from then on tcp_state_map stands still, transitions are added up
// beside it and told one by one, while an iterator visits all sockets of all network namespaces. When it is closed, the
// map as it stood can be compared with what was there at the opening (counting_window.h): the difference is the drift,
// exact under any load; and what moved meanwhile is added to the map. The first pass starts from an empty map, so its
// drift is the seed. What has no transitions (TIME_WAIT and FIN_WAIT2 minisockets, requests) is counted by each pass
// and written into the map beside what the kernel counts.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aggregate/counting_window.h"
#include "aggregate/socket_groups.h"
#include "base/clock.h"
#include "source/ring_source.h"

namespace sockeye {

struct CountsReading {
  StateCounts sockets{};  // what the map held at the end of the pass, before it was set right
  // What the kernel's counters were off by when the pass began: counted minus there. Only full sockets: what the pass
  // itself counts cannot drift.
  StateCounts drift{};
  bool is_drift_known = false;  // else why_not says what the pass lacks, and the map was not set right
  std::string why_not;
  uint64_t time_ns = 0;                   // CLOCK_BOOTTIME at its end
  uint64_t iterated_time_ns = 0;          // and when its visits began
  int namespaces = 0;                     // network namespaces visited
  std::optional<GroupedSockets> grouped;  // of the visits, where groups were wanted
};

class SocketCounts {
 public:
  // Of an object that is loaded with the collector `counts`, which must outlive this, and is not attached yet.
  // `groups`, where the object is loaded with group_visits, gets the visits of each pass; it must outlive this, too.
  static Result<std::unique_ptr<SocketCounts>> open(Object& object, const Clock& clock, SocketGroups* groups = nullptr);

  // Seeds the counters, once the object is attached.
  Status seed();

  // A pass. Mostly two grace periods of RCU (10 to 20 ms each), and 0.3 us a socket.
  Result<CountsReading> read();

 private:
  struct Unmap {
    void operator()(void* page) const;
  };
  using Page = std::unique_ptr<void, Unmap>;

  SocketCounts(Object& object, const Clock& clock, SocketGroups* groups)
      : object_(object), clock_(clock), groups_(groups) {}

  static Result<Page> map_page(const Object& object, const char* name);
  Result<CountsReading> pass(bool set_right_anyway);
  void drain_ring();
  Status visit_sockets();
  void add_visits(std::span<const std::byte> rows);
  Losses settled_losses();
  void fold(const StateCounts& at_opening, bool set_right, CountsReading& reading);

  uint64_t* counters() const { return static_cast<uint64_t*>(counters_.get()); }
  counts_window& window() const { return *static_cast<counts_window*>(window_.get()); }

  Object& object_;
  const Clock& clock_;
  SocketGroups* groups_;  // null: none are wanted, and visits are the short ones
  std::unique_ptr<RingSource> ring_;
  Page counters_;  // tcp_state_map
  Page window_;    // counts_window
  CountingWindow seen_;
  Batch batch_;
  std::vector<std::byte> rows_ = std::vector<std::byte>(Object::kIteratorBytes);
  StateCounts minis_{};  // what the last pass wrote into the map beside the kernel's counts
};

}  // namespace sockeye
