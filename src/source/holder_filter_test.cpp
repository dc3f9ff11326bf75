// SPDX-License-Identifier: Apache-2.0
#include "source/holder_filter.h"

#include <gtest/gtest.h>

#include "tests/support/events.h"

namespace sockeye {
namespace {

::owner process(uint32_t pid, const char* comm, uint32_t uid = 0, uint64_t cgroup = 7) {
  holder told = {};
  told.pid = pid;
  told.uid = uid;
  told.cgroup_id = cgroup;
  set_text(told.comm, comm);
  return owner_from(told);
}

void add_comm(filter_rules& rules, unsigned i, const char* comm, bool wanted) {
  rules.comms.used |= 1ull << i;
  if (wanted) rules.comms.wanted |= 1ull << i;
  memcpy(rules.comm[i].value, comm, strlen(comm));
  memset(rules.comm[i].mask, 0xff, strlen(comm) + 1);
}

TEST(HolderFilter, WithoutRulesEverybodyIsWanted) {
  const HolderFilter filter{filter_rules{}};
  EXPECT_TRUE(filter.wants(process(1, "init")));
  EXPECT_FALSE(filter.excludes(process(1, "init")));
  EXPECT_TRUE(filter.passes_without_holders());
}

TEST(HolderFilter, WhatIsWantedExcludesNobody) {
  filter_rules rules = {};
  rules.active = 1;
  rules.pids = {0b111, 0b011};
  rules.pid[0] = 10;
  rules.pid[1] = 11;
  rules.pid[2] = 12;
  add_comm(rules, 0, "nginx", true);
  add_comm(rules, 1, "bash", false);
  const HolderFilter filter(rules);
  EXPECT_TRUE(filter.wants(process(10, "nginx")));
  EXPECT_TRUE(filter.wants(process(11, "nginx")));
  EXPECT_FALSE(filter.wants(process(12, "nginx")));
  EXPECT_FALSE(filter.wants(process(10, "httpd"))) << "one process has all that is wanted";
  for (const uint32_t pid : {10u, 11u, 13u}) EXPECT_FALSE(filter.excludes(process(pid, "httpd"))) << pid;
  EXPECT_TRUE(filter.excludes(process(12, "nginx")));
  EXPECT_TRUE(filter.excludes(process(10, "bash")));
  EXPECT_FALSE(filter.passes_without_holders());
}

TEST(HolderFilter, ExclusionsAloneLetPassWhatNobodyHolds) {
  filter_rules rules = {};
  rules.active = 1;
  rules.uids = {1, 0};
  rules.uid[0] = 33;
  rules.cgroups = {1, 0};
  rules.cgroup[0] = 9;
  const HolderFilter filter(rules);
  EXPECT_TRUE(filter.passes_without_holders());
  EXPECT_TRUE(filter.excludes(process(1, "a", 33)));
  EXPECT_TRUE(filter.excludes(process(1, "a", 0, 9)));
  EXPECT_FALSE(filter.excludes(process(1, "a")));
}

TEST(HolderFilter, OfTheSocketAloneIsEverythingElse) {
  filter_rules rules = {};
  rules.active = 1;
  rules.pids = rules.comms = rules.uids = rules.cgroups = {1, 1};
  rules.containers = FILTER_CONTAINERS;
  rules.netns_inodes = {1, 1};
  rules.states = 1 << TCP_LISTEN;
  const filter_rules left = without_owner_rules(rules);
  EXPECT_EQ(left.pids.used | left.comms.used | left.uids.used | left.cgroups.used | left.containers, 0u);
  EXPECT_EQ(left.netns_inodes.used, 1u);
  EXPECT_EQ(left.states, 1 << TCP_LISTEN);
  EXPECT_EQ(left.active, 1);
}

}  // namespace
}  // namespace sockeye
