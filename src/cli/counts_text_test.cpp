// SPDX-License-Identifier: Apache-2.0
#include "cli/counts_text.h"

#include <gtest/gtest.h>

#include <string>

#include "event/renames.h"
#include "tests/support/golden.h"

namespace sockeye {
namespace {

class FixedClock : public Clock {
 public:
  uint64_t boot_ns() const override { return 5'000'000'000; }
  int64_t wall_ns() const override { return 1'774'103'005'000'000'000; }
};

CountsReading reading() {
  CountsReading reading;
  reading.sockets[TCP_ESTABLISHED] = 1234;
  reading.sockets[TCP_TIME_WAIT] = 23000;
  reading.sockets[TCP_CLOSING] = 1;
  reading.is_drift_known = true;
  reading.iterated_time_ns = 4'900'000'000;
  reading.time_ns = 5'000'000'000;
  reading.namespaces = 3;
  return reading;
}

std::string table(const CountsReading& reading, int columns = 0) {
  Buffer out(4096);
  add_counts_table(out, reading, columns);
  return std::string(out.view());
}

std::string json(const CountsReading& reading) {
  const FixedClock clock;
  const WallTime wall(clock);
  Buffer out(4096);
  add_counts_json(out, reading, wall, kJsonVersion);
  return std::string(out.view());
}

TEST(CountsText, TableHasEveryStateTheTotalAndTheAge) {
  EXPECT_EQ(table(reading()),
            "STATE        COUNT\n"
            "ESTABLISHED   1234\n"
            "SYN_SENT         0\n"
            "SYN_RECV         0\n"
            "FIN_WAIT1        0\n"
            "FIN_WAIT2        0\n"
            "TIME_WAIT    23000\n"
            "CLOSE_WAIT       0\n"
            "LAST_ACK         0\n"
            "LISTEN           0\n"
            "CLOSING          1\n"
            "total        24235\n"
            "TIME_WAIT, orphaned FIN_WAIT2 and half-open: visited 100 ms ago in 3 network namespaces; drift 0\n");
}

TEST(CountsText, NumbersEndInOneColumnHoweverLong) {
  CountsReading many = reading();
  many.sockets[TCP_TIME_WAIT] = 1'234'567;
  const std::string text = table(many);
  EXPECT_NE(text.find("STATE          COUNT\n"), std::string::npos) << text;
  EXPECT_NE(text.find("TIME_WAIT    1234567\n"), std::string::npos) << text;
  EXPECT_NE(text.find("CLOSING            1\n"), std::string::npos) << text;
}

TEST(CountsText, WordsAreBrokenToFitATerminal) {
  const std::string text = table(reading(), 80);
  EXPECT_TRUE(
      text.ends_with("\nTIME_WAIT, orphaned FIN_WAIT2 and half-open: visited 100 ms ago in 3 network\n"
                     "  namespaces; drift 0\n"))
      << text;
}

TEST(CountsText, TableTellsTheDriftByState) {
  CountsReading off = reading();
  off.namespaces = 1;
  off.drift[TCP_ESTABLISHED] = 2;
  off.drift[TCP_LAST_ACK] = -1;
  EXPECT_TRUE(table(off).ends_with("in 1 network namespace; drift ESTABLISHED +2, LAST_ACK -1\n")) << table(off);
}

TEST(CountsText, ADriftThatIsNotKnownIsNotZero) {
  CountsReading unknown = reading();
  unknown.is_drift_known = false;
  unknown.why_not = "network namespace /run/netns/a\x1b[1m: Operation not permitted";
  EXPECT_TRUE(
      table(unknown).ends_with("; drift unknown: network namespace /run/netns/a\\x1b[1m: Operation not permitted\n"))
      << table(unknown);
  EXPECT_NE(json(unknown).find("\"drift\":null,\"drift_unknown\":\"network namespace /run/netns/a\\u001b[1m"),
            std::string::npos)
      << json(unknown);
}

TEST(CountsText, JsonIsOneLine) {
  CountsReading off = reading();
  off.drift[TCP_FIN_WAIT2] = -3;
  off.drift[TCP_LISTEN] = 1;
  EXPECT_EQ(json(off),
            "{\"v\":2,\"event\":\"counts\",\"time\":\"2026-03-21T14:23:25.000000000Z\",\"timestamp_ns\":5000000000,"
            "\"sockets\":{\"ESTABLISHED\":1234,\"SYN_SENT\":0,\"SYN_RECV\":0,\"FIN_WAIT1\":0,\"FIN_WAIT2\":0,"
            "\"TIME_WAIT\":23000,\"CLOSE\":null,\"CLOSE_WAIT\":0,\"LAST_ACK\":0,\"LISTEN\":0,\"CLOSING\":1},"
            "\"drift\":{\"FIN_WAIT2\":-3,\"LISTEN\":1},\"iterated_age_ms\":100,\"namespaces\":3}\n");
  EXPECT_NE(json(reading()).find("\"drift\":{},"), std::string::npos);
}

SocketGroup group_of(std::string name, uint64_t number, uint64_t netns_cookie) {
  SocketGroup group;
  group.name = std::move(name);
  group.number = number;
  group.netns_cookie = netns_cookie;
  group.sockets[TCP_ESTABLISHED] = 3;
  group.sockets[TCP_LISTEN] = 1;
  group.total = 4;
  return group;
}

SocketGroup group_without_key(SocketGroup::Kind kind) {
  SocketGroup group = group_of("", 0, 0);
  group.kind = kind;
  return group;
}

// A line of each shape that there is, which tests/support/schema_test.py holds against the schema.
TEST(CountsTextGolden, Json) {
  CountsReading off = reading(), unknown = reading();
  off.drift[TCP_FIN_WAIT2] = -3;
  off.drift[TCP_LISTEN] = 1;
  unknown.is_drift_known = false;
  unknown.why_not = "Operation not permitted";
  std::string lines = json(reading()) + json(off) + json(unknown);
  for (const GroupBy by : {GroupBy::kComm, GroupBy::kContainer, GroupBy::kNetns, GroupBy::kPort}) {
    CountsReading grouped = reading();
    grouped.grouped = GroupedSockets{by, {group_of("nginx", 443, 7), group_of("a\n\xff", 80, 0)}, 2};
    for (const auto kind : {SocketGroup::Kind::kUnknown, SocketGroup::Kind::kKernel, SocketGroup::Kind::kNoContainer,
                            SocketGroup::Kind::kOther}) {
      grouped.grouped->groups.push_back(group_without_key(kind));
    }
    lines += json(grouped);
  }
  expect_golden("src/cli/golden/counts.json", lines);
}

}  // namespace
}  // namespace sockeye
