// SPDX-License-Identifier: Apache-2.0
// Filters of owners where an event has several holders: as a run asks them.
#include "source/replay_filter.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "event/collector.h"
#include "tests/support/events.h"

namespace sockeye {
namespace {

const EventType& type() { return find_collector("who")->event; }

class Held {
 public:
  explicit Held(const std::vector<uint32_t>& pids) : bytes_(type().size + pids.size() * sizeof(holder)) {
    socket_event event = client_socket();
    event.header.kind = type().kind;
    event.owner.pid = pids.empty() ? 0 : pids[0];
    event.owner.source = pids.empty() ? OWNER_UNKNOWN : OWNER_SNAPSHOT;
    memcpy(bytes_.data(), &event, sizeof event);
    for (size_t i = 0; i < pids.size(); ++i) {
      holder told = {};
      told.pid = pids[i];
      memcpy(bytes_.data() + type().size + i * sizeof told, &told, sizeof told);
    }
    put_list({.left_out = 0,
              .at = type().size,
              .count = static_cast<__u16>(pids.size()),
              .size = sizeof(holder),
              ._pad = {}});
  }
  // As a version without lists recorded it.
  Held& of_old() {
    put_list({});
    return *this;
  }
  bool passes(const filter_rules& rules) {
    auto* header = reinterpret_cast<event_header*>(bytes_.data());
    header->size = static_cast<__u16>(bytes_.size());
    return ReplayFilter(type(), rules).passes({.header = header, .type = &type()});
  }

 private:
  void put_list(const wire_list& list) {
    memcpy(bytes_.data() + find_field(type(), "holders")->offset, &list, sizeof list);
  }

  std::vector<std::byte> bytes_;
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
