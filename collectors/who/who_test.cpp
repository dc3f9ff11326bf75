// SPDX-License-Identifier: Apache-2.0
// Every format of `who`, from events made by hand, against the text in golden/.
#include <gtest/gtest.h>

#include <vector>

#include "collectors/who/who.event.h"
#include "event/collector.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

// With its holders behind it.
struct Socket : who_event {
  holder list[4] = {};
};

void add_holder(Socket& event, const char* comm, uint32_t pid, uint32_t fd) {
  holder& added = event.list[event.holders.count++];
  added.pid = pid;
  added.fd = fd;
  added.uid = 33;
  set_text(added.comm, comm);
  event.base.header.size = static_cast<__u16>(event.base.header.size + sizeof added);
}

Socket full_socket(uint8_t state) {
  Socket event = {};
  event.base = client_socket();
  event.base.header.kind = WHO_KIND;
  event.base.header.size = sizeof(who_event);
  event.holders.at = sizeof(who_event);
  event.holders.size = sizeof(holder);
  event.base.owner.source = OWNER_SNAPSHOT;
  event.base.socket.role = ROLE_UNKNOWN;
  event.inode = 184'467;
  event.socket_uid = 33;
  event.state = state;
  event.flags = WHO_FULL;
  return event;
}

Socket nobodys(Socket event) {
  event.base.owner = {};
  event.base.context = {};
  return event;
}

// A TIME_WAIT or FIN_WAIT2 minisocket, or a request socket.
Socket mini(uint8_t state) {
  Socket event = nobodys(full_socket(state));
  event.inode = event.socket_uid = event.flags = 0;
  return event;
}

std::vector<Socket> sockets() {
  std::vector<Socket> events;
  events.push_back(full_socket(TCP_LISTEN));
  make_listener(events.back().base);
  events.back().recv_q = 3;
  events.back().send_q = 4096;
  add_holder(events.back(), "nginx", 30512, 6);
  add_holder(events.back(), "nginx", 30513, 6);
  add_holder(events.back(), "a,b[\033[31m]", 30514, 3);

  events.push_back(full_socket(TCP_ESTABLISHED));
  events.back().recv_q = 2'626'560;
  events.back().send_q = 17;
  add_holder(events.back(), "nginx", 30512, 7);
  add_holder(events.back(), "nginx", 30512, 12);            // by two descriptors
  events.push_back(nobodys(full_socket(TCP_ESTABLISHED)));  // nobody has accepted it yet
  events.back().inode = 0;
  events.push_back(nobodys(full_socket(TCP_FIN_WAIT1)));  // orphaned
  events.back().inode = 0;
  events.back().send_q = 4'294'967'295;
  events.push_back(mini(TCP_TIME_WAIT));
  events.push_back(mini(TCP_FIN_WAIT2));
  events.push_back(mini(TCP_NEW_SYN_RECV));
  events.back().base.socket.cookie = 0;           // 5.10 gives none
  events.push_back(full_socket(TCP_CLOSE_WAIT));  // a name that tries to be more than a name, in a pid namespace
  socket_event* base = &events.back().base;
  set_text(base->owner.comm, "a\n\033[31mb\"\\ c=");
  set_text(base->owner.thread, "a\n\033[31mb\"\\ c=");
  set_text(base->context.comm, "a\n\033[31mb\"\\ c=");
  base->owner.ns_pid = 7;
  events.back().holders.at = 0;                    // not known
  events.push_back(full_socket(TCP_ESTABLISHED));  // more than there is room for
  add_holder(events.back(), "worker", 30512, 3);
  events.back().holders.left_out = 812;
  return events;
}

std::string shown(const std::vector<Socket>& structs, SinkOptions options) {
  const EventType& type = find_collector("who")->event;
  const Context context = {.container = "8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c",
                           .runtime = "containerd",
                           .pod = "3a9b8c1d-1111-2222-3333-444455556666",
                           .unit = "cri-containerd.scope",
                           .cgroup_path = "/kubepods"};
  std::vector<Event> events = events_of(structs, type, &context);
  for (size_t i = 0; i < events.size(); ++i) {
    if (structs[i].base.owner.source == OWNER_UNKNOWN) events[i].context = nullptr;
  }
  options.types = {&type};
  return rendered(events, options);
}

class WhoGolden : public testing::TestWithParam<const char*> {};

TEST_P(WhoGolden, Sockets) {
  expect_golden(std::string("collectors/who/golden/sockets.") + GetParam(), shown(sockets(), in_format(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Formats, WhoGolden, testing::ValuesIn(kGoldenFormats),
                         [](const auto& format) { return std::string(format.param); });

TEST(WhoTableGolden, OnATerminal) {
  for (const Screen screen : {Screen{80, 24}, Screen{200, 50}}) {
    expect_golden("collectors/who/golden/terminal_" + std::to_string(screen.columns) + ".table",
                  shown(sockets(), {.format = "table", .screen = screen}));
  }
  expect_golden("collectors/who/golden/terminal_120_time.table",
                shown(sockets(), {.format = "table", .times = TimeStyle::kTime, .screen = Screen{120, 24}}));
}

// A recording may say anything of its list.
TEST(WhoJson, AListThatIsNotInTheEventIsNotKnown) {
  const Socket sound = sockets().front();
  const auto holders_in = [](Socket event) {
    const std::string json = shown({event}, {"json"});
    return json.substr(json.find("\"holders\":"), 14);
  };
  EXPECT_EQ(holders_in(sound), "\"holders\":[{\"p");
  for (const int at : {0, 8, 215, 217, 224, 65528}) {
    Socket event = sound;
    event.holders.at = static_cast<__u16>(at);
    EXPECT_EQ(holders_in(event), "\"holders\":null") << at;
  }
  for (const int count : {4, 65535}) {
    Socket event = sound;
    event.holders.count = static_cast<__u16>(count);
    EXPECT_EQ(holders_in(event), "\"holders\":null") << count;
  }
  for (const int size : {0, 8, 32, 41, 48, 65528}) {
    Socket event = sound;
    event.holders.size = static_cast<__u16>(size);
    EXPECT_EQ(holders_in(event), "\"holders\":null") << size;
  }
}

TEST(WhoJson, WhatIsNotKnownIsNoNumber) {
  const std::string json = shown({mini(TCP_TIME_WAIT)}, {"json"});
  for (const char* key : {"pid", "uid", "comm", "socket_uid", "inode"}) {
    EXPECT_NE(json.find('"' + std::string(key) + "\":null"), std::string::npos) << key << " in " << json;
  }
  EXPECT_EQ(json.find("context_"), std::string::npos) << json;
}

}  // namespace
}  // namespace sockeye
