// SPDX-License-Identifier: Apache-2.0
// How many sockets were in each state when a window opened, from what was seen while it was open: transitions, and
// visits by an iterator that took its time.
//
// A socket that changed in the window was, when it opened, in the old state of its first transition; every other one is
// where it was visited. So nothing is counted twice and nothing left out, however long the visits take, and an iterator
// that visits a socket twice or misses one that changes (iter/tcp before 6.16) does no harm. Sockets are told apart by
// address: a new socket comes to the address of an old one only by a transition of its own, which starts from nothing
// (CLOSE, or as a child of a LISTEN), so both together still say what was there at the opening.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "collectors/counts/counts.event.h"

namespace sockeye {

using StateCounts = std::array<int64_t, COUNTS_STATES>;  // by TCP state

// As ss shows it: a half-open request is in SYN_RECV.
inline uint8_t shown_state(const counts_visit& visit) {
  return visit.state == TCP_NEW_SYN_RECV ? uint8_t{TCP_SYN_RECV} : visit.state;
}

class CountingWindow {
 public:
  void clear();

  // Of one socket, in the order in which they happened.
  void changed(const counts_event& event);
  void visited(const counts_visit& visit);

  // Full sockets per state when the window opened.
  StateCounts full_sockets();
  // Minisockets and requests per state as ss shows it, when they were visited: they have no transitions.
  StateCounts minis();

 private:
  struct Sight {
    uint64_t socket;
    uint8_t state;
  };

  static void add_each_once(std::vector<Sight>& sights, StateCounts& counts);

  std::vector<Sight> changed_;
  std::vector<Sight> visited_;
  std::vector<Sight> minis_;
};

}  // namespace sockeye
