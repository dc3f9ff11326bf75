// SPDX-License-Identifier: Apache-2.0
#include "aggregate/totals.h"

#include <gtest/gtest.h>

#include "collectors/retransmit_totals/retransmit_totals.event.h"
#include "event/collector.h"
#include "event/container_filter.h"
#include "tests/support/events.h"

namespace sockeye {
namespace {

const EventType& type() { return find_collector("retransmit_totals")->event; }

retransmit_totals_event row(uint64_t cookie, uint32_t pid, uint64_t segments) {
  retransmit_totals_event event = {};
  event.base = client_socket();
  event.base.header.kind = RETRANSMIT_TOTALS_KIND;
  event.base.header.size = sizeof event;
  event.base.socket.cookie = cookie;
  event.base.owner.pid = pid;
  event.segments = segments;
  event.fast = segments - 1;
  event.timeout = 1;
  event.bytes = segments * 1000;
  return event;
}

void add(Totals& totals, const retransmit_totals_event& event, const Context* context = nullptr,
         bool is_other = false) {
  totals.add(reinterpret_cast<const std::byte*>(&event), is_other, context);
}

const retransmit_totals_event& event_of(const TotalsGroup& group) {
  return *reinterpret_cast<const retransmit_totals_event*>(group.event.data());
}

TEST(Totals, AddsUpByConnection) {
  Totals totals(type(), TotalsBy::kConnection);
  add(totals, row(1, 7, 5));
  add(totals, row(2, 7, 30));
  add(totals, row(1, 7, 10));
  add(totals, row(1, 8, 1));  // the same connection in other hands
  const auto groups = totals.take(1000, 400);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(event_of(groups[0]).segments, 30u) << "the largest first";
  const auto& second = event_of(groups[1]);
  EXPECT_EQ(second.segments, 15u);
  EXPECT_EQ(second.fast, 13u);
  EXPECT_EQ(second.timeout, 2u);
  EXPECT_EQ(second.bytes, 15'000u);
  EXPECT_EQ(second.base.socket.cookie, 1u);
  EXPECT_EQ(second.base.owner.pid, 7u);
  EXPECT_EQ(second.base.header.time_ns, 1000u);
  EXPECT_EQ(second.interval_ns, 400u);
  EXPECT_EQ(second.group, TOTALS_NAMED);
  EXPECT_EQ(event_of(groups[2]).base.owner.pid, 8u);
  EXPECT_TRUE(totals.take(2000, 400).empty()) << "it begins anew";
}

TEST(Totals, AddsUpByProcess) {
  Totals totals(type(), TotalsBy::kProcess);
  retransmit_totals_event reused = row(3, 7, 50);  // another process with this pid, later
  reused.base.owner.start_ns += 5;
  retransmit_totals_event nobodys = row(4, 0, 3), kernels = row(5, 0, 2);
  nobodys.base.owner = kernels.base.owner = {};
  kernels.base.owner.source = OWNER_KERNEL;
  for (const auto& event : {row(1, 7, 5), row(2, 7, 30), reused, nobodys, kernels}) add(totals, event);
  const auto groups = totals.take(0, 0);
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(event_of(groups[0]).segments, 50u);
  EXPECT_EQ(event_of(groups[1]).segments, 35u);
  EXPECT_EQ(event_of(groups[1]).base.owner.pid, 7u);
  EXPECT_EQ(event_of(groups[1]).base.socket.cookie, 0u) << "it is not of one socket";
  EXPECT_EQ(event_of(groups[1]).base.socket.family, 0u);
  EXPECT_EQ(event_of(groups[2]).group, TOTALS_UNKNOWN);
  EXPECT_EQ(event_of(groups[3]).group, TOTALS_KERNEL);
}

TEST(Totals, AddsUpByContainer) {
  Totals totals(type(), TotalsBy::kContainer);
  const Context one = {.container = "one",
                       .runtime = "docker",
                       .pod = "p",
                       .unit = "u",
                       .cgroup_path = "/a",
                       .container_name = "web",
                       .container_image = "nginx",
                       .pod_name = "api-0",
                       .pod_namespace = "shop"};
  Context also = one;
  also.unit = "w";
  const Context none = {.unit = "ssh.service", .cgroup_path = "/c"};
  retransmit_totals_event nobodys = row(4, 0, 3);
  nobodys.base.owner = {};
  add(totals, row(1, 7, 5), &one);
  add(totals, row(2, 8, 6), &also);
  add(totals, row(3, 9, 7), &none);
  add(totals, row(3, 10, 1));
  add(totals, nobodys);
  const auto groups = totals.take(0, 0);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(event_of(groups[0]).segments, 11u);
  ASSERT_TRUE(groups[0].context);
  const Context& known = *groups[0].context;
  EXPECT_EQ(known.container + known.runtime + known.pod, "onedockerp");
  EXPECT_EQ(known.container_name + " " + known.container_image, "web nginx");
  EXPECT_EQ(known.pod_name + " " + known.pod_namespace, "api-0 shop");
  EXPECT_EQ(known.unit + known.cgroup_path, "") << "it may have several";
  EXPECT_TRUE((ContainerFilter{{"web"}, {}}).passes(&known));
  EXPECT_EQ(event_of(groups[0]).base.owner.pid, 0u);
  EXPECT_EQ(event_of(groups[0]).base.owner.cgroup_id, 0u);
  EXPECT_EQ(event_of(groups[1]).segments, 7u);
  EXPECT_EQ(event_of(groups[1]).group, TOTALS_NO_CONTAINER);
  EXPECT_EQ(event_of(groups[2]).segments, 4u) << "nobody's, and a process's of which nobody knows where it runs";
  EXPECT_EQ(event_of(groups[2]).group, TOTALS_UNKNOWN);
}

TEST(Totals, WhatAUserSaysIsNotAddedToWhatRootSays) {
  Totals totals(type(), TotalsBy::kContainer);
  const Context roots = {.container = "one"}, users = {.container = "one", .container_user = "1000"};
  const Context none = {.unit = "u"}, in_pod = {.pod = "p", .container_user = "1000"};
  add(totals, row(1, 7, 5), &roots);
  add(totals, row(2, 8, 3), &users);
  add(totals, row(3, 9, 1), &none);
  add(totals, row(3, 9, 1), &in_pod);
  const auto groups = totals.take(0, 0);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(event_of(groups[0]).segments, 5u);
  EXPECT_EQ(groups[1].context->container_user, "1000");
  EXPECT_EQ(event_of(groups[2]).group, TOTALS_NO_CONTAINER);
}

TEST(Totals, KeepWhereTheirOwnersRan) {
  for (const TotalsBy by : {TotalsBy::kConnection, TotalsBy::kProcess}) {
    Totals totals(type(), by);
    const Context before = {.container = "one", .unit = "u"};
    Context named = before;
    named.container_name = "web";
    add(totals, row(1, 7, 5));
    add(totals, row(1, 7, 5), &before);
    add(totals, row(1, 7, 5), &named);
    add(totals, row(1, 7, 5));
    const auto groups = totals.take(0, 0);
    ASSERT_EQ(groups.size(), 1u);
    ASSERT_TRUE(groups[0].context);
    EXPECT_EQ(groups[0].context->container_name + " " + groups[0].context->unit, "web u");
  }
}

TEST(Totals, WhatThereIsNoRoomForIsOneGroup) {
  Totals totals(type(), TotalsBy::kConnection, 2);
  for (uint64_t cookie = 1; cookie <= 5; ++cookie) add(totals, row(cookie, 7, 100 - cookie));
  add(totals, row(0, 0, 1000), nullptr, true);  // of the kernel side
  const auto groups = totals.take(0, 0);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(event_of(groups[0]).group, TOTALS_OTHER);
  EXPECT_EQ(event_of(groups[0]).segments, 97u + 96 + 95 + 1000);
  EXPECT_EQ(event_of(groups[0]).base.owner.pid, 0u);
  EXPECT_EQ(event_of(groups[0]).base.socket.family, 0u);
  EXPECT_EQ(event_of(groups[1]).segments, 99u);
}

}  // namespace
}  // namespace sockeye
