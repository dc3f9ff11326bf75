// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "collectors/@NAME@/@NAME@.event.h"
#include "event/collector.h"
#include "event/event.h"
#include "tests/support/events.h"

namespace sockeye {
namespace {

TEST(@CAMEL@, IsFoundByNameAndKind) {
  const Collector* collector = find_collector("@NAME@");
  ASSERT_NE(collector, nullptr);
  EXPECT_EQ(find_event_type(@UPPER@_KIND), &collector->event);
}

TEST(@CAMEL@, WhatWasNotCountedIsNoNumber) {
  const EventType& type = find_collector("@NAME@")->event;
  @NAME@_event body = {};
  body.base = client_socket();
  const Event event{.header = &body.base.header, .type = &type};
  const Field& nth = *find_field(type, "nth");
  EXPECT_FALSE(is_present(nth, event));
  body.nth = 3;
  EXPECT_TRUE(is_present(nth, event));
  EXPECT_EQ(number_of(nth, event), 3u);
}

}  // namespace
}  // namespace sockeye
