// SPDX-License-Identifier: Apache-2.0
// Filters of owners where a record has several holders: as a run asks them.
#include "source/replay_filter.h"

#include <gtest/gtest.h>

#include "collectors/who/who.event.h"
#include "event/collector.h"
#include "tests/support/records.h"

namespace sockeye {
namespace {

struct Held {
  who_event event = {};
  holder holders[3] = {};

  explicit Held(std::vector<uint32_t> pids) {
    event.base = client_socket();
    event.base.header.kind = WHO_KIND;
    event.base.header.size = static_cast<__u16>(sizeof event + pids.size() * sizeof(holder));
    event.base.owner.pid = pids.empty() ? 0 : pids[0];
    event.base.owner.source = pids.empty() ? OWNER_UNKNOWN : OWNER_SNAPSHOT;
    event.holders = {.left_out = 0,
                     .at = sizeof event,
                     .count = static_cast<__u16>(pids.size()),
                     .size = sizeof(holder),
                     ._pad = {}};
    for (size_t i = 0; i < pids.size(); ++i) holders[i].pid = pids[i];
  }
  // As a version without lists recorded it.
  Held& of_old() {
    event.holders = {};
    event.base.header.size = sizeof event;
    return *this;
  }
  bool passes(const filter_rules& rules) const {
    const EventType& type = find_collector("who")->event;
    return ReplayFilter(type, rules).passes({.header = &event.base.header, .type = &type});
  }
};

filter_rules only(uint32_t pid, bool wanted) {
  filter_rules rules = {};
  rules.active = 1;
  rules.pids = {1, wanted};
  rules.pid[0] = pid;
  return rules;
}

TEST(ReplayFilter, AnyHolderMatches) {
  for (const uint32_t pid : {3u, 5u, 7u}) {
    EXPECT_TRUE(Held({3, 5, 7}).passes(only(pid, true))) << pid;
    EXPECT_FALSE(Held({3, 5, 7}).passes(only(pid, false))) << pid;
  }
  EXPECT_FALSE(Held({3, 5, 7}).passes(only(6, true)));
  EXPECT_TRUE(Held({3, 5, 7}).passes(only(6, false)));
  EXPECT_FALSE(Held({}).passes(only(6, true)));
  EXPECT_TRUE(Held({}).passes(only(6, false)));
}

TEST(ReplayFilter, WithoutAListTheOwnerIsAsked) {
  EXPECT_TRUE(Held({3, 5}).of_old().passes(only(3, true)));
  EXPECT_FALSE(Held({3, 5}).of_old().passes(only(5, true)));
  EXPECT_FALSE(Held({3, 5}).of_old().passes(only(3, false)));
  EXPECT_FALSE(Held({}).of_old().passes(only(3, true)));
}

TEST(ReplayFilter, TheSocketIsAskedAsEver) {
  filter_rules rules = only(5, true);
  rules.ports[FILTER_PEER] = {1, 1};
  rules.port[FILTER_PEER][0] = {8000, 8000};
  EXPECT_TRUE(Held({3, 5}).passes(rules));
  rules.port[FILTER_PEER][0] = {8001, 8001};
  EXPECT_FALSE(Held({3, 5}).passes(rules));
}

}  // namespace
}  // namespace sockeye
