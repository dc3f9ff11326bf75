// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/line.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "tests/support/events.h"
#include "tests/support/rendered.h"

namespace sockeye::text {
namespace {

using When = Presence::When;

struct listed_event {
  socket_event base;
  wire_list list;
  struct {
    __u64 number;
  } first;
};

constexpr Field kElements[] = {
    {.name = "number", .type = FieldType::kUnsigned, .offset = 0, .size = 8, .meaning = "a number"}};
constexpr Field kFields[] = {
    {.name = "pid",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(listed_event, base.owner.pid),
     .meaning = "not known where it is 0",
     .presence = {.when = When::kNonZero}},
    {.name = "lport",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(listed_event, base.socket.lport),
     .meaning = "there is none where it is 0",
     .presence = {.when = When::kNonZero, .is_none = true}},
    {.name = "rport",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(listed_event, base.socket.rport),
     .meaning = "the key goes where it is 0",
     .presence = {.when = When::kNonZero, .omit_key = true}},
    {.name = "container", .type = FieldType::kContext, .meaning = "container", .context = &Context::container},
    {.name = "list",
     .type = FieldType::kList,
     SOCKEYE_MEMBER(listed_event, list),
     .meaning = "a list",
     .elements = kElements,
     .element_line = "{number}"},
};
constexpr EventType kType = {.name = "t",
                             .kind = 900,
                             .size = offsetof(listed_event, first),
                             .common = {},
                             .own = kFields,
                             .columns = {},
                             .line =
                                 "What is it: PID={pid} PORTS={lport}/{rport}. "
                                 "A_CONTAINER_THAT_IS_CALLED_BY_A_LONG_NAME={container} LIST={list} end"};

listed_event whole() {
  listed_event event = {};
  event.base = client_socket();
  event.base.header.size = sizeof event;
  event.base.owner.pid = 7;
  event.base.socket.lport = 80;
  event.base.socket.rport = 443;
  event.list = {.at = offsetof(listed_event, first), .count = 1, .size = sizeof event.first};
  event.first.number = 5;
  return event;
}

std::string line_of(const listed_event& event, const Context* context = nullptr) {
  const FixedClock clock;
  Buffer out(1);
  LineTemplates().of(kType).add(out, {.header = &event.base.header, .type = &kType, .context = context},
                                WallTime(clock));
  return std::string(out.view());
}

TEST(Line, HasEveryWordWhereEveryValueIsThere) {
  const Context context{.container = "c"};
  EXPECT_EQ(line_of(whole(), &context),
            "What is it: PID=7 PORTS=80/443. A_CONTAINER_THAT_IS_CALLED_BY_A_LONG_NAME=c LIST=5 end");
}

TEST(Line, LeavesOutTheWordsOfWhichThereIsNone) {
  listed_event event = whole();
  event.base.socket.lport = event.base.socket.rport = 0;
  event.list.count = 0;
  EXPECT_EQ(line_of(event), "What is it: PID=7 end");
}

TEST(Line, AWordIsLeftOutWhicheverOfItsValuesIsNotThere) {
  listed_event event = whole();
  event.base.socket.lport = 0;
  EXPECT_EQ(line_of(event), "What is it: PID=7 LIST=5 end");
  event = whole();
  event.base.socket.rport = 0;
  EXPECT_EQ(line_of(event), "What is it: PID=7 LIST=5 end");
}

TEST(Line, SaysOfWhatIsNotKnownThatItIsNot) {
  listed_event event = whole();
  event.base.owner.pid = 0;
  event.list = {};
  EXPECT_EQ(line_of(event), "What is it: PID=? PORTS=80/443. LIST=? end");
}

TEST(Line, AnEmptyListThatHadNoRoomIsNotNone) {
  listed_event event = whole();
  event.list.count = 0;
  event.list.left_out = 3;
  EXPECT_EQ(line_of(event), "What is it: PID=7 PORTS=80/443. LIST=+3 end");
}

}  // namespace
}  // namespace sockeye::text
