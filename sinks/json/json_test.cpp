// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "event/loss.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

using When = Presence::When;

constexpr EnumValue kWords[] = {{1, "one", "the first"}};
constexpr Field kFields[] = {
    {.name = "time", .type = FieldType::kTime, SOCKEYE_MEMBER(socket_event, header.time_ns), .meaning = "m"},
    {.name = "comm",
     .type = FieldType::kText,
     SOCKEYE_MEMBER(socket_event, owner.comm),
     .meaning = "m",
     .presence = {.when = When::kNonZero}},
    {.name = "ppid",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(socket_event, owner.ppid),
     .meaning = "m",
     .presence = {.when = When::kNonZero, .omit_key = true}},
    {.name = "cookie", .type = FieldType::kId, SOCKEYE_MEMBER(socket_event, socket.cookie), .meaning = "m"},
    {.name = "role",
     .type = FieldType::kEnum,
     SOCKEYE_MEMBER(socket_event, socket.role),
     .meaning = "m",
     .values = kWords},
    {.name = "pod",
     .type = FieldType::kContext,
     .meaning = "m",
     .presence = {.omit_key = true},
     .context = &Context::pod},
};
constexpr EventType kType = {.name = "t", .kind = 900, .size = sizeof(socket_event), .common = {}, .own = kFields};

std::string json(const Event& event) { return rendered({&event, 1}, {"json", {&kType}}); }

TEST(Json, OneObjectALine) {
  const socket_event body = client_socket();
  EXPECT_EQ(json({.header = &body.header, .type = &kType}),
            "{\"v\":2,\"event\":\"t\",\"time\":\"2026-03-21T14:23:25.454000000Z\",\"comm\":\"nginx\",\"ppid\":1,"
            "\"cookie\":\"4711\",\"role\":\"one\"}\n");
}

// jq 1.6 and JavaScript take numbers above 2^53 for their neighbours.
TEST(Json, IdsAreTextToTheLastDigit) {
  socket_event body = client_socket();
  for (const uint64_t cookie : {uint64_t{1}, uint64_t{1} << 63 | 1, UINT64_MAX}) {
    body.socket.cookie = cookie;
    const std::string line = json({.header = &body.header, .type = &kType});
    EXPECT_NE(line.find("\"cookie\":\"" + std::to_string(cookie) + "\","), std::string::npos) << line;
  }
}

TEST(Json, WhatIsNotKnownIsNullOrLeftOutButNeverANumber) {
  socket_event body = client_socket();
  body.owner = {};
  body.socket.role = 7;
  const std::string line = json({.header = &body.header, .type = &kType});
  EXPECT_NE(line.find("\"comm\":null"), std::string::npos) << line;
  EXPECT_EQ(line.find("ppid"), std::string::npos) << line;
  EXPECT_NE(line.find("\"role\":\"7\""), std::string::npos) << line;
}

TEST(Json, NamesCannotBreakOut) {
  socket_event body = client_socket();
  set_text(body.owner.comm, "\"},{\n\\\033[m\xff");
  const std::string line = json({.header = &body.header, .type = &kType});
  EXPECT_NE(line.find("\"comm\":\"\\\"},{\\u000a\\\\\\u001b[m\\ufffd\""), std::string::npos) << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(Json, TakesWordsFromTheContext) {
  const socket_event body = client_socket();
  Context context;
  context.pod = "3a9b8c1d-1111-2222-3333-444455556666";
  EXPECT_NE(json({&body.header, &kType, &context, false}).find("\"pod\":\"3a9b8c1d-"), std::string::npos);
}

TEST(Json, GapsAreEventsToo) {
  gap_event gap = {};
  gap.header = {.kind = GAP_KIND, .size = sizeof gap, .cpu = 0, .time_ns = 9};
  gap.lost = 12;
  gap.stage = gap.reason = static_cast<uint8_t>(LossReason::kRingFull);
  const std::string line = json({.header = &gap.header, .type = &kGapType});
  EXPECT_NE(line.find("\"event\":\"gap\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"stage\":\"kernel\",\"reason\":\"ring_full\",\"lost\":12"), std::string::npos) << line;
}

// A line of each kind, which tests/support/schema_test.py holds against the schema.
TEST(JsonGolden, LossesAndTheEnd) {
  std::string lines;
  for (size_t i = 0; i < kLossReasons; ++i) {
    gap_event gap = {};
    gap.header = {.kind = GAP_KIND, .size = sizeof gap, .cpu = 0, .time_ns = 9 + i};
    gap.lost = 12;
    gap.stage = gap.reason = static_cast<uint8_t>(i);
    lines += json({.header = &gap.header, .type = &kGapType});
  }
  end_event end = {};
  end.header = {.kind = END_KIND, .size = sizeof end, .cpu = 0, .time_ns = 99};
  end.delivered = 1'000'000;
  lines += json({.header = &end.header, .type = &kEndType});
  expect_golden("sinks/json/golden/losses.json", lines);
}

}  // namespace
}  // namespace sockeye
