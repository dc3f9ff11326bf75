// SPDX-License-Identifier: Apache-2.0
// What interfaces were called, in recordings.
#include <gtest/gtest.h>

#include <cstring>

#include "event/field.h"
#include "record/memory_input_for_tests.h"
#include "record/reader.h"
#include "record/writer.h"
#include "tests/support/events.h"

namespace sockeye::record {
namespace {

constexpr EventType kType = {.name = "thing", .kind = 40, .size = sizeof(socket_event), .common = {}, .own = {}};

class InterfaceTest : public testing::Test {
 protected:
  InterfaceTest() { writer_.set_clock(1000, 50); }

  void add(uint32_t netns, uint32_t index, const InterfaceName* name) {
    socket_event body = client_socket();
    body.header = {.kind = 40, .size = sizeof body, .cpu = 0, .time_ns = 1};
    body.socket.netns = netns;
    body.socket.scope_id = index;
    EXPECT_TRUE(writer_.add({.header = &body.header, .type = &kType, .interface = name}));
  }
  void seal() {
    file_ += writer_.seal();
    writer_.sealed_block_was(true);
    writer_.set_clock(1000, 50);
  }
  // The names of all events, one after the other.
  std::string told() {
    seal();
    Reader reader(std::make_unique<MemoryInput>(file_));
    std::string text;
    while (reader.next_block() == Reader::Step::kBlock) {
      text += "|";
      for (Entry entry; reader.next_entry(entry);) {
        if (entry.type != EntryType::kEvent) continue;
        socket_event body;
        memcpy(&body, entry.payload.data(), sizeof body);
        const InterfaceName* name = reader.interface(body.socket.netns, body.socket.scope_id);
        text += " " + (name ? name->name : "?");
      }
    }
    EXPECT_EQ(reader.passed_over(), 0u);
    return text;
  }

  Writer writer_{{}, {&kType}};
  std::string file_;
};

TEST_F(InterfaceTest, AreToldInEachBlock) {
  const InterfaceName left{7, 2, "left"}, right{7, 3, "right"}, other{8, 2, "other"};
  for (int block = 0; block < 2; ++block) {
    add(7, 2, &left);
    add(7, 3, &right);
    add(8, 2, &other);
    add(7, 2, &left);
    add(9, 2, nullptr);
    if (block == 0) seal();
  }
  EXPECT_EQ(told(), "| left right other left ?| left right other left ?");
}

TEST_F(InterfaceTest, AnotherNameHoldsForWhatFollows) {
  InterfaceName name{7, 2, "old"};
  add(7, 2, &name);
  name.name = "new";
  add(7, 2, &name);
  add(7, 2, &name);
  EXPECT_EQ(told(), "| old new new");
}

TEST_F(InterfaceTest, AreBounded) {
  std::string expected = "|";
  for (uint32_t i = 1; i <= kMaxInterfaces + 10; ++i) {
    const InterfaceName name{7, i, "if" + std::to_string(i)};
    add(7, i, &name);
    expected += i <= kMaxInterfaces ? " " + name.name : " ?";
  }
  EXPECT_EQ(told(), expected);
}

}  // namespace
}  // namespace sockeye::record
