// SPDX-License-Identifier: Apache-2.0
// Which group each visited socket goes to.
#include "aggregate/socket_groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace sockeye {
namespace {

using Kind = SocketGroup::Kind;

counts_group_visit visit(uint64_t socket, uint8_t state, uint16_t lport, uint16_t rport, uint32_t netns = 1) {
  counts_group_visit visit = {};
  visit.visit.socket = socket;
  visit.visit.state = state;
  visit.netns = netns;
  visit.netns_cookie = netns == 1 ? 0 : 1000 + netns;
  visit.lport = lport;
  visit.rport = rport;
  return visit;
}

counts_group_visit mini(uint64_t socket, uint8_t state, uint16_t lport, uint16_t rport) {
  counts_group_visit made = visit(socket, state, lport, rport);
  made.visit.is_mini = 1;
  return made;
}

counts_group_visit owned(counts_group_visit visit, const char* comm, uint64_t cgroup_id = 7) {
  memcpy(visit.comm, comm, std::min(strlen(comm), sizeof visit.comm));
  visit.pid = 99;
  visit.start_ns = 12345;
  visit.cgroup_id = cgroup_id;
  visit.owner_source = OWNER_USE;
  return visit;
}

// "name or number: total, state: sockets, ..." of each group.
std::vector<std::string> words(const GroupedSockets& grouped) {
  std::vector<std::string> lines;
  for (const SocketGroup& group : grouped.groups) {
    constexpr const char* kKinds[] = {"", "unknown", "kernel", "no container", "other"};
    std::string line = group.kind != Kind::kKnown ? kKinds[static_cast<int>(group.kind)]
                       : group.name.empty()
                           ? std::to_string(group.number)
                           : group.name + (group.container_name.empty() ? "" : " ") + group.container_name;
    line += ": " + std::to_string(group.total);
    for (size_t state = 0; state < group.sockets.size(); ++state) {
      if (group.sockets[state]) line += ", " + std::to_string(state) + ": " + std::to_string(group.sockets[state]);
    }
    lines.push_back(line);
  }
  return lines;
}

using Lines = std::vector<std::string>;

Lines group(SocketGroups groups, const std::vector<counts_group_visit>& visits) {
  for (const counts_group_visit& visit : visits) groups.visited(visit);
  return words(groups.grouped());
}

TEST(SocketGroups, WordsAreThoseOfTheCommandLine) {
  for (const GroupBy by : {GroupBy::kComm, GroupBy::kContainer, GroupBy::kNetns, GroupBy::kPort}) {
    EXPECT_EQ(parse_group_by(name_of(by)), by);
  }
  EXPECT_EQ(parse_group_by("process"), GroupBy::kComm);
  EXPECT_EQ(parse_group_by("pid"), std::nullopt);
  EXPECT_TRUE(needs_owners(GroupBy::kComm) && needs_owners(GroupBy::kContainer));
  EXPECT_FALSE(needs_owners(GroupBy::kNetns) || needs_owners(GroupBy::kPort));
}

TEST(SocketGroups, APortIsTheServicesAtBothEnds) {
  EXPECT_EQ(group(SocketGroups(GroupBy::kPort),
                  {visit(1, TCP_ESTABLISHED, 80, 40000), visit(2, TCP_ESTABLISHED, 40000, 80),
                   visit(3, TCP_LISTEN, 80, 0), visit(4, TCP_SYN_SENT, 40001, 443), mini(5, TCP_TIME_WAIT, 40002, 80),
                   mini(6, TCP_FIN_WAIT2, 80, 40003), mini(7, TCP_NEW_SYN_RECV, 80, 40004)}),
            (Lines{"80: 6, 1: 2, 3: 1, 5: 1, 6: 1, 10: 1", "443: 1, 2: 1"}));
}

TEST(SocketGroups, AListenerOfAnotherNamespaceIsNoServiceHere) {
  EXPECT_EQ(
      group(SocketGroups(GroupBy::kPort), {visit(1, TCP_LISTEN, 9000, 0, 2), visit(2, TCP_ESTABLISHED, 9000, 22)}),
      (Lines{"22: 1, 1: 1", "9000: 1, 10: 1"}));
}

TEST(SocketGroups, NamespacesKeepTheirCookie) {
  SocketGroups groups(GroupBy::kNetns);
  groups.visited(visit(1, TCP_LISTEN, 80, 0, 2));
  groups.visited(visit(2, TCP_LISTEN, 80, 0, 2));
  groups.visited(visit(3, TCP_LISTEN, 80, 0, 1));
  const GroupedSockets grouped = groups.grouped();
  EXPECT_EQ(words(grouped), (Lines{"2: 2, 10: 2", "1: 1, 10: 1"}));
  EXPECT_EQ(grouped.groups[0].netns_cookie, 1002u);
  EXPECT_EQ(grouped.groups[1].netns_cookie, 0u);
}

TEST(SocketGroups, OwnersByName) {
  counts_group_visit kernel = visit(4, TCP_ESTABLISHED, 700, 2049);
  kernel.owner_source = OWNER_KERNEL;
  EXPECT_EQ(
      group(SocketGroups(GroupBy::kComm),
            {owned(visit(1, TCP_LISTEN, 80, 0), "nginx"), owned(mini(2, TCP_TIME_WAIT, 80, 40000), "nginx"),
             visit(3, TCP_ESTABLISHED, 80, 40001), kernel, owned(visit(5, TCP_LISTEN, 81, 0), "0123456789abcdef")}),
      (Lines{"nginx: 2, 6: 1, 10: 1", "0123456789abcdef: 1, 10: 1", "unknown: 1, 1: 1", "kernel: 1, 1: 1"}));
}

TEST(SocketGroups, AHalfOpenRequestIsItsListeners) {
  EXPECT_EQ(
      group(SocketGroups(GroupBy::kComm), {mini(1, TCP_NEW_SYN_RECV, 80, 40000), mini(2, TCP_NEW_SYN_RECV, 81, 40000),
                                           visit(3, TCP_LISTEN, 80, 0), owned(visit(4, TCP_LISTEN, 80, 0), "nginx")}),
      (Lines{"nginx: 2, 3: 1, 10: 1", "unknown: 2, 3: 1, 10: 1"}));
}

TEST(SocketGroups, Containers) {
  Context docker;
  docker.container = std::string(64, 'a');
  docker.container_name = "web";
  const Context host = {.container = "", .runtime = "", .pod = "", .unit = "cron.service", .cgroup_path = "/x"};
  SocketGroups groups(GroupBy::kContainer, [&](const ::owner& who) -> const Context* {
    EXPECT_EQ(who.pid, 99u);
    EXPECT_EQ(who.start_ns, 12345u);
    return who.cgroup_id == 1 ? &docker : who.cgroup_id == 2 ? &host : nullptr;
  });
  EXPECT_EQ(group(groups, {owned(visit(1, TCP_LISTEN, 80, 0), "a", 1), owned(visit(2, TCP_LISTEN, 81, 0), "b", 1),
                           owned(visit(3, TCP_LISTEN, 82, 0), "c", 2), owned(visit(4, TCP_LISTEN, 83, 0), "d", 3),
                           visit(5, TCP_LISTEN, 84, 0)}),
            (Lines{std::string(64, 'a') + " web: 2, 10: 2", "unknown: 2, 10: 2", "no container: 1, 10: 1"}));
}

TEST(SocketGroups, WhatAUserSaysIsAGroupOfItsOwn) {
  const Context roots = {.container = "one"}, users = {.container = "one", .container_user = "1000"};
  SocketGroups groups(GroupBy::kContainer,
                      [&](const ::owner& who) -> const Context* { return who.cgroup_id == 1 ? &roots : &users; });
  EXPECT_EQ(group(groups, {owned(visit(1, TCP_LISTEN, 80, 0), "a", 1), owned(visit(2, TCP_LISTEN, 81, 0), "b", 1),
                           owned(visit(3, TCP_LISTEN, 82, 0), "c", 2)}),
            (Lines{"one: 2, 10: 2", "one: 1, 10: 1"}));
}

TEST(SocketGroups, ASocketCountsOnceAndAClosedOneNever) {
  EXPECT_EQ(group(SocketGroups(GroupBy::kNetns), {visit(1, TCP_ESTABLISHED, 80, 1), visit(1, TCP_CLOSE_WAIT, 80, 1),
                                                  visit(2, TCP_CLOSE, 0, 0), visit(3, 99, 0, 0)}),
            (Lines{"1: 1, 1: 1"}));
}

TEST(SocketGroups, WhatThereIsNoRoomForIsAddedUp) {
  SocketGroups groups(GroupBy::kPort, {}, 2);
  for (uint64_t i = 0; i < 6; ++i) groups.visited(visit(i + 1, TCP_SYN_SENT, 40000, i < 3 ? 80 : 81 + i));
  groups.visited(visit(7, TCP_ESTABLISHED, 40000, 85));
  const GroupedSockets grouped = groups.grouped();
  EXPECT_EQ(words(grouped), (Lines{"80: 3, 2: 3", "85: 2, 1: 1, 2: 1", "other: 2, 2: 2"}));
  EXPECT_EQ(grouped.folded, 2u);
}

TEST(SocketGroups, ClearStartsAnew) {
  SocketGroups groups(GroupBy::kPort);
  groups.visited(visit(1, TCP_LISTEN, 80, 0));
  groups.clear();
  EXPECT_TRUE(groups.grouped().groups.empty());
}

}  // namespace
}  // namespace sockeye
