// SPDX-License-Identifier: Apache-2.0
#include "aggregate/counting_window.h"

#include <algorithm>

namespace sockeye {

void CountingWindow::clear() {
  changed_.clear();
  visited_.clear();
  minis_.clear();
}

void CountingWindow::changed(const counts_event& event) {
  const bool is_child = event.old_state == TCP_LISTEN && event.new_state == TCP_SYN_RECV;
  changed_.push_back({event.socket, is_child ? uint8_t{TCP_CLOSE} : event.old_state});
}

void CountingWindow::visited(const counts_visit& visit) {
  (visit.is_mini ? minis_ : visited_).push_back({visit.socket, shown_state(visit)});
}

StateCounts CountingWindow::full_sockets() {
  StateCounts counts{};
  std::vector<Sight> all = changed_;
  all.insert(all.end(), visited_.begin(), visited_.end());
  add_each_once(all, counts);
  return counts;
}

StateCounts CountingWindow::minis() {
  StateCounts counts{};
  add_each_once(minis_, counts);
  return counts;
}

// The first sight of each socket; closed ones are not counted.
void CountingWindow::add_each_once(std::vector<Sight>& sights, StateCounts& counts) {
  std::stable_sort(sights.begin(), sights.end(), [](const Sight& a, const Sight& b) { return a.socket < b.socket; });
  uint64_t last = 0;
  for (const Sight& sight : sights) {
    if (sight.socket == last) continue;
    last = sight.socket;
    if (sight.state != TCP_CLOSE && sight.state < counts.size()) ++counts[sight.state];
  }
}

}  // namespace sockeye
