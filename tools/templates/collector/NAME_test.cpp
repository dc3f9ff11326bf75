// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "collectors/@NAME@/@NAME@.event.h"
#include "event/collector.h"
#include "event/event.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

const EventType& type() { return find_collector("@NAME@")->event; }

TEST(@CAMEL@, IsFoundByNameAndKind) {
  const Collector* collector = find_collector("@NAME@");
  ASSERT_NE(collector, nullptr);
  EXPECT_EQ(find_event_type(@UPPER@_KIND), &collector->event);
}

TEST(@CAMEL@, WhatWasNotCountedIsNoNumber) {
  @NAME@_event body = {};
  body.base = client_socket();
  const Event event{.header = &body.base.header, .type = &type()};
  const Field& nth = *find_field(type(), "nth");
  EXPECT_FALSE(is_present(nth, event));
  body.nth = 3;
  EXPECT_TRUE(is_present(nth, event));
  EXPECT_EQ(number_of(nth, event), 3u);
}

class @CAMEL@Golden : public testing::TestWithParam<const char*> {};

TEST_P(@CAMEL@Golden, AllSorts) {
  @NAME@_event counted = {};
  counted.base = client_socket();
  counted.base.header.kind = @UPPER@_KIND;
  counted.base.header.size = sizeof counted;
  @NAME@_event uncounted = counted;
  counted.nth = 3;
  SinkOptions options = in_format(GetParam());
  options.types = {&type()};
  const std::vector<@NAME@_event> all = {counted, uncounted};
  expect_golden(std::string("collectors/@NAME@/golden/all.") + GetParam(), rendered(events_of(all, type()), options));
}

INSTANTIATE_TEST_SUITE_P(Formats, @CAMEL@Golden, testing::ValuesIn(kGoldenFormats),
                         [](const auto& format) { return std::string(format.param); });

}  // namespace
}  // namespace sockeye
