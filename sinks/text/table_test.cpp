// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "event/wire.h"
#include "tests/support/records.h"

namespace sockeye::text {
namespace {

constexpr EnumValue kColours[] = {{1, "ONE", "the first", Colour::kGreen}, {2, "TWO", "the second", Colour::kNone}};
constexpr Field kFields[] = {
    {.name = "comm", .type = FieldType::kText, SOCKEYE_MEMBER(socket_event, owner.comm), .meaning = "name"},
    {.name = "laddr", .type = FieldType::kAddress, SOCKEYE_MEMBER(socket_event, socket.laddr), .meaning = "address"},
    {.name = "lport", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(socket_event, socket.lport), .meaning = "port"},
    {.name = "role",
     .type = FieldType::kEnum,
     SOCKEYE_MEMBER(socket_event, socket.role),
     .meaning = "role",
     .values = kColours},
};
constexpr Column kColumns[] = {
    {.field = "comm", .header = "COMM", .width = 16, .least = 6},
    {.field = "laddr", .header = "LADDR", .width = 39, .least = 15, .keep = 20},
    {.field = "lport", .header = "LPORT", .width = 5, .least = 5, .right = true, .keep = 10},
    {.field = "role", .header = "ROLE", .width = 4, .least = 4},
};
constexpr EventType kType = {
    .name = "t", .kind = 900, .size = sizeof(socket_event), .common = {}, .own = kFields, .columns = kColumns};

std::vector<std::string> table(int columns, bool colour, const char* address = "2001:db8:1:2:3:4:5:6") {
  socket_event event = client_socket();
  set_address(event.socket.laddr, address);
  set_text(event.owner.comm, "a-long-name\n");
  Buffer out;
  Table table(kType, columns, colour);
  const FixedClock clock;
  table.add_header(out);
  table.add_row(out, {.header = &event.header, .type = &kType}, WallTime(clock));
  std::vector<std::string> lines;
  std::istringstream text{std::string(out.view())};
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(Table, FitsEveryTerminal) {
  for (const int columns : {20, 30, 40, 60, 80, 200}) {
    for (const std::string& line : table(columns, false)) EXPECT_LE(line.size(), static_cast<size_t>(columns)) << line;
  }
}

TEST(Table, LeavesOutWhatIsLeastMissedFirst) {
  EXPECT_EQ(table(80, false)[0].find("LPORT") != std::string::npos, true);
  const std::string narrow = table(32, false)[0];
  EXPECT_EQ(narrow.find("LPORT"), std::string::npos) << narrow;
  EXPECT_NE(narrow.find("LADDR"), std::string::npos) << narrow;
  const std::string narrowest = table(15, false)[0];
  EXPECT_EQ(narrowest.find("LADDR"), std::string::npos) << narrowest;
  EXPECT_NE(narrowest.find("ROLE"), std::string::npos) << narrowest;
}

TEST(Table, ShortensInTheMiddleOnATerminalAndNeverInAPipe) {
  EXPECT_NE(table(34, false)[1].find('~'), std::string::npos);
  const std::string piped = table(0, false)[1];
  EXPECT_EQ(piped.find('~'), std::string::npos) << piped;
  EXPECT_NE(piped.find("a-long-name\\x0a"), std::string::npos) << piped;
  EXPECT_NE(piped.find("2001:db8:1:2:3:4:5:6"), std::string::npos) << piped;
}

TEST(Table, NeverCutsANumberBeforeItsPoint) {
  static constexpr Field kDuration[] = {{.name = "duration_us",
                                         .type = FieldType::kMicros,
                                         SOCKEYE_MEMBER(socket_event, header.time_ns),
                                         .meaning = "time"}};
  static constexpr Column kNarrow[] = {{.field = "duration_us", .header = "MS", .width = 6, .least = 6, .right = true}};
  static constexpr EventType kDurations = {
      .name = "d", .kind = 901, .size = sizeof(socket_event), .common = {}, .own = kDuration, .columns = kNarrow};
  const FixedClock clock;
  Table table(kDurations, 6, false);
  const auto row = [&](uint64_t ns) {
    socket_event event = client_socket();
    event.header.time_ns = ns;
    Buffer out;
    table.add_row(out, {.header = &event.header, .type = &kDurations}, WallTime(clock));
    return std::string(out.view());
  };
  EXPECT_EQ(row(1'234'567), " 1.234\n");
  EXPECT_EQ(row(123'456'789), "123.45\n");
  EXPECT_EQ(row(12'345'678'000), " 12345\n") << "a bare point says nothing";
  EXPECT_EQ(row(12'345'678'901'000), "12345678\n");
}

TEST(Table, ColoursOnlyWhenAsked) {
  EXPECT_EQ(table(80, false)[1].find('\033'), std::string::npos);
  EXPECT_NE(table(80, true)[1].find("\033[32mONE"), std::string::npos);
}

TEST(Shortened, CountsCodePointsAndCutsNoneInHalf) {
  Buffer out;
  EXPECT_EQ(add_shortened(out, "caf\xc3\xa9", 4, false), 4);
  EXPECT_EQ(out.view(), "caf\xc3\xa9");
  out.clear();
  EXPECT_EQ(add_shortened(out, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4, false), 4);
  EXPECT_EQ(out.view(), "\xc3\xa9~\xc3\xa9\xc3\xa9");
  out.clear();
  EXPECT_EQ(add_shortened(out, "8f2b1c6d9e0a4b3c", 12, true), 12);
  EXPECT_EQ(out.view(), "8f2b1c6d9e0a");
}

}  // namespace
}  // namespace sockeye::text
