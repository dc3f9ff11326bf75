// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <tuple>

#include "base/columns.h"
#include "event/loss.h"
#include "event/wire.h"
#include "tests/support/events.h"
#include "tests/support/rendered.h"

namespace sockeye::text {
namespace {

constexpr EnumValue kColours[] = {{1, "ONE", "the first", Colour::kGreen}, {2, "TWO", "the second", Colour::kNone}};
constexpr Field kFields[] = {
    {.name = "time", .type = FieldType::kTime, SOCKEYE_MEMBER(socket_event, header.time_ns), .meaning = "time"},
    {.name = "comm",
     .type = FieldType::kText,
     SOCKEYE_MEMBER(socket_event, owner.comm),
     .meaning = "name",
     .presence = {.when = Presence::When::kNonZero}},
    {.name = "laddr", .type = FieldType::kAddress, SOCKEYE_MEMBER(socket_event, socket.laddr), .meaning = "address"},
    {.name = "lport", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(socket_event, socket.lport), .meaning = "port"},
    {.name = "role",
     .type = FieldType::kEnum,
     SOCKEYE_MEMBER(socket_event, socket.role),
     .meaning = "role",
     .values = kColours},
};
constexpr Column kColumns[] = {
    {.field = "comm", .header = "COMM", .width = 16, .min_width = 6},
    {.field = "laddr", .header = "LADDR", .width = 39, .min_width = 15, .priority = 20},
    {.field = "lport", .header = "LPORT", .width = 5, .min_width = 5, .right = true, .priority = 10},
    {.field = "role", .header = "ROLE", .width = 4, .min_width = 4},
};
constexpr EventType kType = {
    .name = "t", .kind = 900, .size = sizeof(socket_event), .common = {}, .own = kFields, .columns = kColumns};

socket_event event_of(const char* address, const char* comm = "nginx") {
  socket_event body = client_socket();
  set_address(body.socket.laddr, address);
  set_text(body.owner.comm, comm);
  return body;
}

std::vector<std::string> lines_of(const std::vector<socket_event>& bodies, const SinkOptions& look,
                                  size_t batch = SIZE_MAX) {
  SinkOptions options = look;
  options.format = "table";
  options.types = {&kType};
  std::istringstream text(rendered(events_of(bodies, kType), options, batch));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// The header and the row of one event; 0 columns: a pipe.
std::vector<std::string> table(int columns, bool colour, const char* address = "2001:db8:1:2:3:4:5:6") {
  auto lines = lines_of({event_of(address, "a-long-name\n")},
                        {.colour = colour, .screen = Screen{columns, columns > 0 ? 24 : 0}});
  return {lines[lines.size() - 2], lines.back()};
}

TEST(Table, FitsEveryTerminal) {
  for (const char* address : {"::ffff:10.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1111:2222:3333:4444:5555:6666"}) {
    for (int columns = 16; columns <= 200; ++columns) {
      for (const std::string& line : table(columns, false, address)) {
        EXPECT_LE(line.size(), static_cast<size_t>(columns)) << line;
      }
    }
  }
}

TEST(Table, LeavesOutWhatIsLeastMissedFirst) {
  const char* address = "::ffff:10.100.10.150";
  EXPECT_EQ(table(80, false, address)[0], "COMM            LADDR           LPORT ROLE");
  EXPECT_EQ(table(32, false, address)[0], "COMM        LADDR           ROLE");
  EXPECT_EQ(table(20, false, address)[0], "COMM            ROLE");
}

TEST(Table, AnAddressIsWholeWhereItFits) {
  EXPECT_EQ(table(80, false)[1], "a-long-name\\x0a 2001:db8:1:2:3:4:5:6    39134 ONE");
  EXPECT_EQ(table(36, false)[1], "a-l~x0a 2001:db8:1:2:3:4:5:6    ONE");
}

TEST(Table, ShortensInTheMiddleOnATerminalAndNeverInAPipe) {
  EXPECT_NE(table(36, false)[1].find('~'), std::string::npos);
  const std::string piped = table(0, false)[1];
  EXPECT_EQ(piped.find('~'), std::string::npos) << piped;
  EXPECT_NE(piped.find("a-long-name\\x0a"), std::string::npos) << piped;
  EXPECT_NE(piped.find("2001:db8:1:2:3:4:5:6"), std::string::npos) << piped;
}

TEST(Table, ColumnsStayAlignedBehindWideCharacters) {
  const char* wide = "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97";  // four characters, eight columns
  const auto lines = lines_of({event_of("::ffff:10.0.0.1", "eightcol"), event_of("::ffff:10.0.0.1", wide)}, {});
  EXPECT_EQ(columns_of(lines[2].substr(0, lines[2].find("10.0.0.1"))), static_cast<int>(lines[1].find("10.0.0.1")));
  for (int width = 16; width <= 80; ++width) {
    for (const std::string& line : lines_of({event_of("::ffff:10.0.0.1", wide)}, {.screen = Screen{width, 24}}))
      EXPECT_LE(columns_of(line), width) << line;
  }
}

TEST(Table, APipeHasOneHeaderAndStaysAlignedAfterALongValue) {
  const auto lines =
      lines_of({event_of("::ffff:10.0.0.1"), event_of("2001:db8:1:2:3:4:5:6"), event_of("::ffff:10.0.0.1")}, {});
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1].find("39134"), 32u);
  EXPECT_EQ(lines[2].find("39134"), 40u);
  EXPECT_EQ(lines[3].find("39134"), 40u);
}

TEST(Table, AHeaderOnEveryScreen) {
  const std::vector<socket_event> bodies(100, event_of("::ffff:10.0.0.1"));
  const auto lines = lines_of(bodies, {.screen = Screen{80, 24}});
  size_t last = 0, headers = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].starts_with("COMM ")) continue;
    EXPECT_LE(i - last, 23u);
    last = i;
    ++headers;
  }
  EXPECT_EQ(headers, 5u);
  EXPECT_EQ(lines.size(), 105u);
  EXPECT_EQ(lines_of(bodies, {.screen = Screen{80, 3}}).size(), 101u) << "no room for headers";
}

TEST(Table, ALongAddressGetsRoomUnderAHeaderOfItsOwnUntilAScreenHasNone) {
  std::vector<socket_event> bodies(60, event_of("::ffff:10.0.0.1"));
  bodies[2] = event_of("2001:db8:1:2:3:4:5:6");
  const auto lines = lines_of(bodies, {.screen = Screen{80, 24}});
  const std::string narrow = "COMM            LADDR           LPORT ROLE";
  const std::string wide = "COMM            LADDR                   LPORT ROLE";
  EXPECT_EQ(lines[0], narrow);
  EXPECT_EQ(lines[3], wide);
  EXPECT_EQ(lines[3 + 23], wide) << "the page before had it";
  EXPECT_EQ(lines[3 + 46], narrow);
}

TEST(Table, DoesNotDependOnBatches) {
  std::vector<socket_event> bodies(100, event_of("::ffff:10.0.0.1"));
  bodies[20] = bodies[70] = event_of("2001:db8:1:2:3:4:5:6", "a-long-name\n");
  for (const Screen screen : {Screen{}, Screen{40, 24}, Screen{80, 10}}) {
    const SinkOptions look = {.colour = true, .times = TimeStyle::kNone, .screen = screen};
    const auto whole = lines_of(bodies, look);
    for (const size_t batch : {1, 7, 23}) EXPECT_EQ(lines_of(bodies, look, batch), whole) << batch;
  }
}

TEST(Table, FollowsTheTerminal) {
  const socket_event body = event_of("::ffff:10.0.0.1");
  const Event event{.header = &body.header, .type = &kType};
  const FixedClock clock;
  const WallTime wall(clock);
  Table table(kType, {});
  Buffer out;
  table.begin(out, {80, 24});
  table.add_row(out, event, wall);
  table.begin(out, {20, 24});
  EXPECT_TRUE(out.view().ends_with("39134 ONE\n")) << "nothing is said until there is something to say";
  table.add_row(out, event, wall);
  EXPECT_TRUE(out.view().ends_with("COMM            ROLE\nnginx           ONE\n")) << out.view();
  const size_t before = out.size();
  table.begin(out, {20, 40});
  table.add_row(out, event, wall);
  EXPECT_EQ(out.view().substr(before), "nginx           ONE\n") << "another height changes no widths";
}

TEST(Table, WhatIsNoRowIsALineThatFits) {
  gap_event gap = {};
  gap.header = {.kind = GAP_KIND, .size = sizeof gap, .cpu = 0, .time_ns = 1'405'454'000'000};
  gap.lost = 12;
  gap.stage = gap.reason = static_cast<uint8_t>(LossReason::kRingFull);
  const Event event{.header = &gap.header, .type = &kGapType};
  SinkOptions options = {.format = "table", .types = {&kType}, .screen = Screen{60, 24}};
  EXPECT_EQ(rendered({&event, 1}, options),
            "14:23:25.454 Gap: LOST=12 STAGE=kernel REASON=ring_full (the\n"
            "  ring was full)\n");
  options.screen.reset();
  options.times = TimeStyle::kNone;
  EXPECT_TRUE(
      rendered({&event, 1}, options).ends_with("\nGap: LOST=12 STAGE=kernel REASON=ring_full (the ring was full)\n"));
}

TEST(Table, TimesInEveryStyle) {
  std::vector<socket_event> bodies(3, event_of("::ffff:10.0.0.1"));
  bodies[1].header.time_ns += 1'000'234'567;
  bodies[2].header.time_ns += 1'000'000'000;
  const std::tuple<TimeStyle, const char*, std::array<const char*, 3>> expected[] = {
      {TimeStyle::kNone, "COMM ", {"nginx ", "nginx ", "nginx "}},
      {TimeStyle::kTime, "TIME         COMM ", {"14:23:25.454 ", "14:23:26.454 ", "14:23:26.454 "}},
      {TimeStyle::kDate,
       "TIME                    COMM ",
       {"2026-03-21 14:23:25.454 ", "2026-03-21 14:23:26.454 ", "2026-03-21 14:23:26.454 "}},
      {TimeStyle::kRfc3339,
       "TIME                           COMM ",
       {"2026-03-21T14:23:25.454000000Z ", "2026-03-21T14:23:26.454234567Z ", "2026-03-21T14:23:26.454000000Z "}},
      {TimeStyle::kUnix, "           UNIX_S COMM ", {"1774103005.454000 ", "1774103006.454234 ", "1774103006.454000 "}},
      {TimeStyle::kDelta, "    DELTA_S COMM ", {"          - ", "   1.000234 ", "  -0.000234 "}},
      {TimeStyle::kBoot, "        BOOT_S COMM ", {"   1405.454000 ", "   1406.454234 ", "   1406.454000 "}},
  };
  for (const auto& [style, header, rows] : expected) {
    for (const Screen screen : {Screen{}, Screen{80, 24}}) {
      const auto lines = lines_of(bodies, {.times = style, .screen = screen});
      EXPECT_TRUE(lines[0].starts_with(header)) << lines[0];
      for (size_t i = 0; i < rows.size(); ++i) EXPECT_TRUE(lines[i + 1].starts_with(rows[i])) << lines[i + 1];
    }
  }
}

TEST(Table, NeverCutsANumberBeforeItsPoint) {
  static constexpr Field kDuration[] = {{.name = "duration_us",
                                         .type = FieldType::kMicros,
                                         SOCKEYE_MEMBER(socket_event, header.time_ns),
                                         .meaning = "time"}};
  static constexpr Column kNarrow[] = {
      {.field = "duration_us", .header = "MS", .width = 6, .min_width = 6, .right = true}};
  static constexpr EventType kDurations = {
      .name = "d", .kind = 901, .size = sizeof(socket_event), .common = {}, .own = kDuration, .columns = kNarrow};
  const auto row = [](uint64_t ns) {
    std::vector<socket_event> bodies(1, client_socket());
    bodies[0].header.time_ns = ns;
    const std::string text =
        rendered(events_of(bodies, kDurations), {.format = "table", .types = {&kDurations}, .screen = Screen{6, 24}});
    return text.substr(text.rfind('\n', text.size() - 2) + 1);
  };
  EXPECT_EQ(row(1'234'567), " 1.234\n");
  EXPECT_EQ(row(123'456'789), "123.45\n");
  EXPECT_EQ(row(12'345'678'000), " 12345\n") << "a bare point says nothing";
  EXPECT_EQ(row(12'345'678'901'000), "12345678\n");
}

TEST(Table, ANameRatherThanAnId) {
  static constexpr Field kWhere[] = {
      {.name = "container", .type = FieldType::kContext, .context = &Context::container},
      {.name = "container_name", .type = FieldType::kContext, .context = &Context::container_name}};
  static constexpr Column kOne[] = {{.field = "container",
                                     .header = "CONTAINER",
                                     .width = 12,
                                     .min_width = 12,
                                     .cut_end = true,
                                     .prefer = "container_name"}};
  static constexpr EventType kContained = {
      .name = "c", .kind = 902, .size = sizeof(socket_event), .common = {}, .own = kWhere, .columns = kOne};
  const auto row = [](const Context* context) {
    const std::vector<socket_event> bodies(1, client_socket());
    auto events = events_of(bodies, kContained);
    events[0].context = context;
    const std::string text = rendered(events, {.format = "table", .types = {&kContained}, .screen = Screen{12, 24}});
    return text.substr(text.rfind('\n', text.size() - 2) + 1);
  };
  Context context;
  context.container = std::string(64, 'a');
  EXPECT_EQ(row(nullptr), "-\n");
  EXPECT_EQ(row(&context), "aaaaaaaaaaaa\n");
  context.container_name = "web";
  EXPECT_EQ(row(&context), "web\n");
  context.container_name = "payments-backend-1";
  EXPECT_TRUE(row(&context).starts_with("pay") && row(&context).ends_with("-1\n")) << row(&context);
}

TEST(Table, ColoursOnlyWhenAsked) {
  EXPECT_EQ(table(80, false)[1].find('\033'), std::string::npos);
  EXPECT_NE(table(80, true)[1].find("\033[32mONE"), std::string::npos);
}

TEST(Table, WhatIsNotKnownIsDim) {
  socket_event body = event_of("::ffff:10.0.0.1");
  set_text(body.owner.comm, "");
  EXPECT_NE(lines_of({body}, {.colour = true})[1].find("\033[90m?  "), std::string::npos);
}

}  // namespace
}  // namespace sockeye::text
