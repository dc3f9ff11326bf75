// SPDX-License-Identifier: Apache-2.0
// What users and the kernel side rely on in the descriptor of `counts`.
#include <gtest/gtest.h>

#include <algorithm>

#include "collectors/counts/counts.event.h"
#include "event/collector.h"

namespace sockeye {
namespace {

TEST(Counts, WantsNothingButTransitionsAndVisits) {
  const Collector* counts = find_collector("counts");
  ASSERT_NE(counts, nullptr);
  EXPECT_FALSE(counts->needs_owner);
  EXPECT_FALSE(counts->needs_entry);
  EXPECT_FALSE(counts->has_stream);
  std::vector<std::string_view> hooks;
  for (const Handler& handler : handlers()) {
    if (handler.collector == "counts") hooks.push_back(handler.hook);
  }
  EXPECT_EQ(hooks, (std::vector<std::string_view>{"set_state", "visit_state"}));
}

TEST(Counts, ItsMapHasTheNameThatUsersKnow) { EXPECT_EQ(find_collector("counts")->known_map, "tcp_state_map"); }

TEST(Counts, ThereIsRoomForEveryState) { EXPECT_GT(COUNTS_STATES, TCP_NEW_SYN_RECV); }

}  // namespace
}  // namespace sockeye
