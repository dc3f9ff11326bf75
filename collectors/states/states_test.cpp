// SPDX-License-Identifier: Apache-2.0
// Every format of `states`, from events made by hand, against the text in golden/.
#include <gtest/gtest.h>

#include <vector>

#include "collectors/states/states.event.h"
#include "event/collector.h"
#include "event/loss.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;

states_event transition(uint8_t old_state, uint8_t new_state) {
  states_event event = {};
  event.base = client_socket();
  event.base.header.kind = STATES_KIND;
  event.base.header.size = sizeof event;
  event.old_state = old_state;
  event.new_state = new_state;
  event.duration_ns = 1'234'567;
  event.flags = STATES_DURATION_KNOWN;
  return event;
}

// The ten events of a connection: the client closes first and stays in TIME_WAIT.
std::vector<states_event> whole_connection() {
  std::vector<states_event> events;
  const auto client = [&](uint8_t from, uint8_t to) { events.push_back(transition(from, to)); };
  const auto server = [&](uint8_t from, uint8_t to, uint8_t source) {
    states_event event = transition(from, to);
    socket_event& base = event.base;
    std::swap(base.socket.laddr, base.socket.raddr);
    std::swap(base.socket.lport, base.socket.rport);
    base.socket.cookie = 4712;
    base.socket.role = ROLE_SERVER;
    base.owner.pid = base.owner.tid = base.owner.ns_pid = 812;
    base.owner.source = source;
    set_text(base.owner.comm, "api");
    set_text(base.owner.thread, "api-worker-3");
    base.context.pid = base.context.tid = 0;
    set_text(base.context.comm, "swapper/1");
    events.push_back(event);
  };
  client(TCP_CLOSE, TCP_SYN_SENT);
  events.back().duration_ns = 0;
  events.back().flags = STATES_HELD;
  server(TCP_LISTEN, TCP_SYN_RECV, OWNER_INHERITED);
  server(TCP_SYN_RECV, TCP_ESTABLISHED, OWNER_INHERITED);
  client(TCP_SYN_SENT, TCP_ESTABLISHED);
  client(TCP_ESTABLISHED, TCP_FIN_WAIT1);
  server(TCP_ESTABLISHED, TCP_CLOSE_WAIT, OWNER_USE);
  client(TCP_FIN_WAIT1, TCP_FIN_WAIT2);
  server(TCP_CLOSE_WAIT, TCP_LAST_ACK, OWNER_USE);
  client(TCP_FIN_WAIT2, TCP_TIME_WAIT);
  events.back().derived = 1;
  events.back().outcome = OUTCOME_TIME_WAIT;
  server(TCP_LAST_ACK, TCP_CLOSE, OWNER_USE);
  for (size_t i = 0; i < events.size(); ++i) events[i].base.header.time_ns += i * kMillisecond;
  return events;
}

// What is seldom, and must not be wrong either.
std::vector<states_event> corners() {
  std::vector<states_event> events;

  events.push_back(transition(TCP_CLOSE, TCP_LISTEN));
  make_listener(events.back().base);
  events.back().base.owner.source = OWNER_LISTEN;

  events.push_back(transition(TCP_CLOSING, TCP_CLOSE));  // IPv6, gone without a TIME_WAIT
  socket_event* base = &events.back().base;
  set_address(base->socket.laddr, "2001:db8::150");
  set_address(base->socket.raddr, "fe80::1:2:3:4");
  base->socket.family = AF_INET6;
  events.back().outcome = OUTCOME_GONE;

  events.push_back(transition(TCP_FIN_WAIT1, TCP_CLOSING));  // a mapped address on an IPv6 socket, an MPTCP subflow
  events.back().base.socket.family = AF_INET6;
  events.back().base.socket.flags = SOCKET_MPTCP;

  events.push_back(transition(TCP_CLOSE, TCP_SYN_SENT));  // the local port is not known
  events.back().base.socket.lport = 0;
  events.back().flags = 0;

  events.push_back(transition(TCP_ESTABLISHED, TCP_CLOSE));  // nothing known of the owner, nor of the past
  base = &events.back().base;
  base->owner = {};
  base->socket.role = ROLE_UNKNOWN;
  base->socket.netns_cookie = 0;
  events.back().flags = 0;

  events.push_back(transition(TCP_ESTABLISHED, TCP_FIN_WAIT1));  // names that try to be more than names
  set_text(events.back().base.owner.comm, "a\n\033[31mb\"\\ c=");
  set_text(events.back().base.owner.thread, "\xff\xc2\x9bSTATE=x y");

  events.push_back(transition(TCP_FIN_WAIT2, TCP_CLOSE));  // in a container, its pid there, an orphan
  base = &events.back().base;
  base->owner.ns_pid = 7;
  base->owner.source = OWNER_SNAPSHOT;
  events.back().outcome = OUTCOME_FIN_WAIT2_ORPHAN;

  events.push_back(transition(TCP_FIN_WAIT2, TCP_CLOSE));  // no room for a TIME_WAIT, or the last
  events.back().outcome = OUTCOME_TABLE_FULL;

  events.push_back(transition(TCP_SYN_SENT, TCP_ESTABLISHED));  // a socket of the kernel's own
  base = &events.back().base;
  base->owner = {};
  base->owner.source = OWNER_KERNEL;
  events.push_back(transition(TCP_CLOSE_WAIT, 99));  // a state that this version does not know
  for (size_t i = 0; i < events.size(); ++i) events[i].base.header.time_ns += i * kMillisecond;
  return events;
}

const Context kInAPod = {.container = "8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c",
                         .runtime = "containerd",
                         .pod = "3a9b8c1d-1111-2222-3333-444455556666",
                         .unit = "cri-containerd.scope",
                         .cgroup_path = "/kubepods"};

std::string shown(const std::vector<states_event>& structs, SinkOptions options, const Context* context = nullptr) {
  const EventType& type = find_collector("states")->event;
  std::vector<Event> events = events_of(structs, type, context);
  if (context) events.back().late = true;
  options.types = {&type};
  return rendered(events, options);
}

class StatesGolden : public testing::TestWithParam<const char*> {};

TEST_P(StatesGolden, WholeConnection) {
  expect_golden(std::string("collectors/states/golden/connection.") + GetParam(),
                shown(whole_connection(), in_format(GetParam())));
}

TEST_P(StatesGolden, Corners) {
  expect_golden(std::string("collectors/states/golden/corners.") + GetParam(),
                shown(corners(), in_format(GetParam()), &kInAPod));
}

INSTANTIATE_TEST_SUITE_P(Formats, StatesGolden, testing::ValuesIn(kGoldenFormats),
                         [](const auto& format) { return std::string(format.param); });

struct Look {
  const char* name;
  Screen screen;
  std::optional<TimeStyle> times = {};
  bool colour = false;
};

class StatesTableGolden : public testing::TestWithParam<Look> {};

// An address of IPv6 comes after some events, and none in the last ones.
TEST_P(StatesTableGolden, OnATerminal) {
  const Look& look = GetParam();
  std::vector<states_event> events = whole_connection();
  for (const states_event& event : corners()) events.push_back(event);
  set_address(events[4].base.socket.laddr, "2001:db8:85a3::8a2e:370:7334");
  set_address(events[4].base.socket.raddr, "2001:db8:1111:2222:3333:4444:5555:6666");
  for (const states_event& event : whole_connection()) events.push_back(event);
  const SinkOptions options = {
      .format = "table", .types = {}, .colour = look.colour, .times = look.times, .screen = look.screen};
  expect_golden(std::string("collectors/states/golden/terminal_") + look.name + ".table",
                shown(events, options, &kInAPod));
}

INSTANTIATE_TEST_SUITE_P(
    Looks, StatesTableGolden,
    testing::Values(Look{"80x24", {80, 24}}, Look{"200x50", {200, 50}}, Look{"80x24_colour", {80, 24}, {}, true},
                    Look{"80x24_none", {80, 24}, TimeStyle::kNone}, Look{"120x24_date", {120, 24}, TimeStyle::kDate},
                    Look{"120x24_delta", {120, 24}, TimeStyle::kDelta}, Look{"pipe_rfc3339", {}, TimeStyle::kRfc3339},
                    Look{"pipe_colour", {}, {}, true}),
    [](const auto& look) { return std::string(look.param.name); });

// The interface that scripts rely on, word for word.
TEST(StatesLine, IsTheLineThatScriptsKnow) {
  EXPECT_EQ(
      shown({transition(TCP_ESTABLISHED, TCP_FIN_WAIT1)}, {"line"}),
      "Mar 21 2026 14:23:25.454 State Change: SRC=10.100.10.150:39134 DST=10.100.10.202:8000 PID=30512 COMM=nginx "
      "STATE=Connection Closing (FIN_WAIT1)\n");
}

TEST(StatesLine, HasTheWordsOfEveryState) {
  const std::pair<uint8_t, const char*> words[] = {
      {TCP_SYN_SENT, "Connecting (SYN_SENT)"},
      {TCP_SYN_RECV, "Handshake (SYN_RECV)"},
      {TCP_ESTABLISHED, "Connected (ESTABLISHED)"},
      {TCP_FIN_WAIT1, "Connection Closing (FIN_WAIT1)"},
      {TCP_FIN_WAIT2, "Waiting (FIN_WAIT2)"},
      {TCP_TIME_WAIT, "Cooldown (TIME_WAIT)"},
      {TCP_CLOSE, "Closed (CLOSE)"},
      {TCP_CLOSE_WAIT, "Remote Closed (CLOSE_WAIT)"},
      {TCP_LAST_ACK, "Final Close (LAST_ACK)"},
      {TCP_LISTEN, "Listening (LISTEN)"},
      {TCP_CLOSING, "Closing (CLOSING)"},
  };
  for (const auto& [state, text] : words) {
    const std::string line = shown({transition(TCP_CLOSE, state)}, {"line"});
    EXPECT_TRUE(line.ends_with(std::string("STATE=") + text + "\n")) << line;
  }
}

}  // namespace
}  // namespace sockeye
