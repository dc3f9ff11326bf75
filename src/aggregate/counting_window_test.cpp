// SPDX-License-Identifier: Apache-2.0
// What was there when a window opened, from transitions and visits in every order that can happen.
#include "aggregate/counting_window.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

constexpr uint64_t kSocket = 0xffff888000001000;
constexpr uint64_t kOther = 0xffff888000002000;

counts_event transition(uint64_t socket, uint8_t old_state, uint8_t new_state) {
  counts_event event = {};
  event.socket = socket;
  event.old_state = old_state;
  event.new_state = new_state;
  return event;
}

counts_visit visit(uint64_t socket, uint8_t state, bool is_mini = false) {
  counts_visit visit = {};
  visit.socket = socket;
  visit.state = state;
  visit.is_mini = is_mini;
  return visit;
}

StateCounts counts(std::initializer_list<std::pair<uint8_t, int64_t>> states) {
  StateCounts counts{};
  for (const auto& [state, count] : states) counts[state] = count;
  return counts;
}

TEST(CountingWindow, VisitedSocketsAreWhereTheyAre) {
  CountingWindow window;
  window.visited(visit(kSocket, TCP_ESTABLISHED));
  window.visited(visit(kOther, TCP_LISTEN));
  EXPECT_EQ(window.full_sockets(), counts({{TCP_ESTABLISHED, 1}, {TCP_LISTEN, 1}}));
}

TEST(CountingWindow, ASocketThatIsVisitedTwiceCountsOnce) {
  CountingWindow window;
  window.visited(visit(kSocket, TCP_ESTABLISHED));
  window.visited(visit(kOther, TCP_ESTABLISHED));
  window.visited(visit(kSocket, TCP_ESTABLISHED));
  EXPECT_EQ(window.full_sockets(), counts({{TCP_ESTABLISHED, 2}}));
}

TEST(CountingWindow, AChangedSocketCountsAsItWasWhereverItWasVisited) {
  for (const uint8_t seen_in : {TCP_ESTABLISHED, TCP_CLOSE_WAIT, TCP_LAST_ACK}) {
    CountingWindow window;
    window.visited(visit(kSocket, seen_in));
    window.changed(transition(kSocket, TCP_ESTABLISHED, TCP_CLOSE_WAIT));
    window.changed(transition(kSocket, TCP_CLOSE_WAIT, TCP_LAST_ACK));
    EXPECT_EQ(window.full_sockets(), counts({{TCP_ESTABLISHED, 1}}));
  }
}

TEST(CountingWindow, AChangedSocketThatWasNotVisitedCountsToo) {
  CountingWindow window;
  window.changed(transition(kSocket, TCP_LAST_ACK, TCP_CLOSE));
  EXPECT_EQ(window.full_sockets(), counts({{TCP_LAST_ACK, 1}}));
}

TEST(CountingWindow, WhatIsBornInTheWindowWasNotThere) {
  CountingWindow window;
  window.changed(transition(kSocket, TCP_CLOSE, TCP_SYN_SENT));
  window.changed(transition(kSocket, TCP_SYN_SENT, TCP_ESTABLISHED));
  window.changed(transition(kOther, TCP_LISTEN, TCP_SYN_RECV));
  window.visited(visit(kSocket, TCP_ESTABLISHED));
  window.visited(visit(kOther, TCP_SYN_RECV));
  EXPECT_EQ(window.full_sockets(), counts({}));
}

TEST(CountingWindow, AListenerThatStopsListeningWasThere) {
  CountingWindow window;
  window.changed(transition(kSocket, TCP_LISTEN, TCP_CLOSE));
  EXPECT_EQ(window.full_sockets(), counts({{TCP_LISTEN, 1}}));
}

TEST(CountingWindow, AnAddressThatIsUsedAgainCountsForTheFirstOnly) {
  CountingWindow window;
  window.changed(transition(kSocket, TCP_LAST_ACK, TCP_CLOSE));
  window.changed(transition(kSocket, TCP_LISTEN, TCP_SYN_RECV));
  window.changed(transition(kSocket, TCP_SYN_RECV, TCP_ESTABLISHED));
  window.visited(visit(kSocket, TCP_ESTABLISHED));
  EXPECT_EQ(window.full_sockets(), counts({{TCP_LAST_ACK, 1}}));
}

TEST(CountingWindow, MinisocketsAndRequestsAreApart) {
  CountingWindow window;
  window.visited(visit(kSocket, TCP_FIN_WAIT2, true));
  window.visited(visit(kOther, TCP_TIME_WAIT, true));
  window.visited(visit(kOther, TCP_TIME_WAIT, true));
  window.visited(visit(kOther + 8, TCP_NEW_SYN_RECV, true));
  window.visited(visit(kOther + 16, TCP_FIN_WAIT2));
  EXPECT_EQ(window.minis(), counts({{TCP_FIN_WAIT2, 1}, {TCP_TIME_WAIT, 1}, {TCP_SYN_RECV, 1}}));
  EXPECT_EQ(window.full_sockets(), counts({{TCP_FIN_WAIT2, 1}}));
}

TEST(CountingWindow, ClearStartsAnew) {
  CountingWindow window;
  window.visited(visit(kSocket, TCP_ESTABLISHED));
  window.visited(visit(kOther, TCP_TIME_WAIT, true));
  window.changed(transition(kSocket, TCP_ESTABLISHED, TCP_CLOSE));
  window.clear();
  EXPECT_EQ(window.full_sockets(), counts({}));
  EXPECT_EQ(window.minis(), counts({}));
}

}  // namespace
}  // namespace sockeye
