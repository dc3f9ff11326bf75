// SPDX-License-Identifier: Apache-2.0
#include "aggregate/holder_join.h"

#include <gtest/gtest.h>

#include "event/collector.h"
#include "tests/support/events.h"

namespace sockeye {
namespace {

constexpr uint64_t kKey = 4711;

held_socket held(uint64_t key, uint32_t pid, const char* comm, uint32_t fd, uint32_t tid = 0) {
  held_socket told = {};
  told.key = key;
  told.fd = fd;
  told.owner.pid = pid;
  told.owner.tid = tid ? tid : pid;
  told.owner.start_ns = pid;
  told.owner.uid = pid * 10;
  told.owner.source = OWNER_SNAPSHOT;
  set_text(told.owner.comm, comm);
  set_text(told.owner.thread, comm);
  return told;
}

SocketHolders holders_of(const std::vector<held_socket>& told) {
  SocketHolders holders;
  holders.add(std::as_bytes(std::span(told)));
  holders.sort();
  return holders;
}

filter_rules wanted_pid(uint32_t pid, bool wanted = true) {
  filter_rules rules = {};
  rules.active = 1;
  rules.pids = {1, wanted};
  rules.pid[0] = pid;
  return rules;
}

// "owner: pid/fd pid/fd", of a socket with this key; "-" where it is left out.
std::string joined(const SocketHolders& holders, const filter_rules& rules = {}, ContainerQuestions containers = {},
                   uint64_t key = kKey) {
  HolderJoin join(holders, rules, std::move(containers));
  who_visit visit = {};
  visit.event.base.header.size = sizeof visit;
  visit.key = key;
  const std::span<const std::byte> bytes = join.complete(std::as_bytes(std::span(&visit, 1)));
  if (bytes.empty()) return "-";
  const Event event{.header = reinterpret_cast<const event_header*>(bytes.data()),
                    .type = &find_collector("who")->event};
  EXPECT_EQ(event.header->size, bytes.size());
  const auto& body = *reinterpret_cast<const who_event*>(bytes.data());
  EXPECT_EQ(body.base.context.pid, body.base.owner.pid);
  std::string text = std::to_string(body.base.owner.pid) + ":";
  const Elements elements = elements_of(*find_field(*event.type, "holders"), event);
  if (!elements.first) text += " ?";
  for (size_t i = 0; i < std::min<size_t>(elements.count, 9); ++i) {
    const auto& one = *reinterpret_cast<const holder*>(elements.at(i).bytes());
    EXPECT_EQ(one.uid, one.pid * 10);
    text += " " + std::to_string(one.pid) + "/" + std::to_string(one.fd);
  }
  if (body.holders.left_out > 0)
    text += " of " + std::to_string(elements.count) + " and " + std::to_string(body.holders.left_out);
  return text;
}

const SocketHolders& three() {
  static const SocketHolders holders =
      holders_of({held(kKey, 7, "c", 3), held(1, 5, "x", 3), held(kKey, 5, "b", 9), held(kKey, 5, "b", 4),
                  held(kKey + 1, 6, "y", 3), held(kKey, 3, "a", 8)});
  return holders;
}

TEST(HolderJoin, TellsAllByPidAndDescriptor) {
  EXPECT_EQ(joined(three()), "3: 3/8 5/4 5/9 7/3");
  EXPECT_EQ(joined(three(), {}, {}, 1), "5: 5/3");
  EXPECT_EQ(joined(three(), {}, {}, 2), "0:");
  EXPECT_EQ(joined(three(), {}, {}, 0), "0:") << "a minisocket";
}

TEST(HolderJoin, ThreadsWithTablesOfTheirOwnCountOnce) {
  const SocketHolders holders = holders_of({held(kKey, 3, "a", 8), held(kKey, 3, "a", 8, 4), held(kKey, 3, "a", 9, 4)});
  EXPECT_EQ(joined(holders), "3: 3/8 3/9");
}

TEST(HolderJoin, AnyHolderMatches) {
  for (const uint32_t pid : {3u, 5u, 7u}) {
    EXPECT_EQ(joined(three(), wanted_pid(pid)), std::to_string(pid) + ": 3/8 5/4 5/9 7/3");
    EXPECT_EQ(joined(three(), wanted_pid(pid, false)), "-");
  }
  EXPECT_EQ(joined(three(), wanted_pid(6)), "-");
  EXPECT_EQ(joined(three(), wanted_pid(6, false)), "3: 3/8 5/4 5/9 7/3");
}

TEST(HolderJoin, WhatNobodyHoldsIsNotWantedAndNotExcluded) {
  EXPECT_EQ(joined(three(), wanted_pid(3), {}, 0), "-");
  EXPECT_EQ(joined(three(), wanted_pid(3, false), {}, 0), "0:");
}

TEST(HolderJoin, AsksContainersOfEachHolder) {
  const auto is = [](uint32_t pid) { return [pid](const ::owner& holder) { return holder.pid == pid; }; };
  const auto nobody = [](const ::owner&) { return false; };
  const auto all = [](const ::owner&) { return true; };
  EXPECT_EQ(joined(three(), {}, {.wants = is(7), .excludes = nobody, .needs_holder = true}), "7: 3/8 5/4 5/9 7/3");
  EXPECT_EQ(joined(three(), {}, {.wants = all, .excludes = is(5)}), "-");
  EXPECT_EQ(joined(three(), wanted_pid(3), {.wants = is(7), .excludes = nobody, .needs_holder = true}), "-");
  EXPECT_EQ(joined(three(), {}, {.wants = is(7), .excludes = nobody, .needs_holder = true}, 0), "-");
  EXPECT_EQ(joined(three(), {}, {.wants = all, .excludes = is(7)}, 0), "0:");
}

TEST(HolderJoin, WhatDoesNotFitIsCounted) {
  std::vector<held_socket> told;
  for (uint32_t i = 0; i < HolderJoin::kMost + 5; ++i) told.push_back(held(kKey, 100 + i, "worker", 3));
  const SocketHolders holders = holders_of(told);
  EXPECT_EQ(joined(holders), "100: 100/3 101/3 102/3 103/3 104/3 105/3 106/3 107/3 108/3 of 1632 and 5");
  const auto last = static_cast<uint32_t>(100 + HolderJoin::kMost + 4);
  EXPECT_EQ(joined(holders, wanted_pid(last)).substr(0, 6), std::to_string(last) + ": ") << "filters see all";
}

TEST(HolderJoin, WhatIsNoVisitIsLeftOut) {
  HolderJoin join(three(), {}, {});
  const std::vector<std::byte> bytes(sizeof(who_visit) + 8);
  for (const size_t size : {size_t{0}, sizeof(who_event), sizeof(who_visit) - 1, sizeof(who_visit) + 8})
    EXPECT_TRUE(join.complete(std::span(bytes).first(size)).empty()) << size;
}

}  // namespace
}  // namespace sockeye
