// SPDX-License-Identifier: Apache-2.0
// Every format of `retransmits`, from events made by hand, against the text in golden/.
#include <gtest/gtest.h>

#include <vector>

#include "collectors/retransmits/retransmits.event.h"
#include "event/collector.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint32_t kSyn = 4'294'960'000;  // the numbers go round soon
constexpr uint8_t kRecovery = 3, kLoss = 4;

retransmits_event sent_again(uint8_t type, uint8_t congestion, uint64_t seq, uint32_t bytes, uint16_t segments) {
  retransmits_event event = {};
  event.base = client_socket();
  event.base.header.kind = RETRANSMITS_KIND;
  event.base.header.size = sizeof event;
  event.type = type;
  event.state = TCP_ESTABLISHED;
  event.congestion = congestion;
  event.seq = seq;
  event.end_seq = seq + bytes;
  event.seq_raw = kSyn + static_cast<uint32_t>(seq);
  event.end_seq_raw = event.seq_raw + bytes;
  event.bytes = bytes;
  event.segments = segments;
  event.cwnd = 10;
  event.srtt_us = 12'345;
  event.flags = RETRANSMIT_FULL | RETRANSMIT_PLACED;
  return event;
}

// Each type once: a handshake that takes three attempts, and what happens afterwards.
std::vector<retransmits_event> each_type() {
  std::vector<retransmits_event> events;
  events.push_back(sent_again(RETRANSMIT_SYN, kLoss, 0, 0, 1));
  events.back().state = TCP_SYN_SENT;
  events.back().end_seq = 1;
  ++events.back().end_seq_raw;
  events.back().srtt_us = 0;

  events.push_back(sent_again(RETRANSMIT_SYNACK, 0, 0, 0, 1));
  socket_event* base = &events.back().base;
  std::swap(base->socket.laddr, base->socket.raddr);
  std::swap(base->socket.lport, base->socket.rport);
  base->socket.role = ROLE_SERVER;
  base->owner.pid = base->owner.tid = base->owner.ns_pid = 812;
  base->owner.source = OWNER_INHERITED;
  set_text(base->owner.comm, "api");
  set_text(base->owner.thread, "api");
  base->context.pid = base->context.tid = 0;
  set_text(base->context.comm, "swapper/1");
  events.back().state = TCP_NEW_SYN_RECV;
  events.back().end_seq = 1;
  ++events.back().end_seq_raw;
  events.back().cwnd = events.back().srtt_us = 0;
  events.back().flags = RETRANSMIT_PLACED;

  events.push_back(sent_again(RETRANSMIT_FAST, kRecovery, 1, 43'440, 30));
  events.push_back(sent_again(RETRANSMIT_TAIL_LOSS_PROBE, 0, 101'361, 1'448, 1));
  events.push_back(sent_again(RETRANSMIT_TIMEOUT, kLoss, 101'361, 1'448, 1));
  events.push_back(sent_again(RETRANSMIT_NON_CONGESTION, kLoss, 102'809, 1'248, 1));
  uint32_t total = 0;
  for (retransmits_event& event : events) {
    event.base.header.time_ns += total * kMillisecond;
    event.total_segments = total += event.segments;
  }
  return events;
}

// What is seldom, and must not be wrong either.
std::vector<retransmits_event> corners() {
  std::vector<retransmits_event> events;
  events.push_back(sent_again(RETRANSMIT_TIMEOUT, kLoss, 5'000'000'000, 1'448, 1));  // IPv6, far beyond 32 bits
  socket_event* base = &events.back().base;
  set_address(base->socket.laddr, "2001:db8::150");
  set_address(base->socket.raddr, "fe80::1:2:3:4");
  base->socket.family = AF_INET6;

  events.push_back(sent_again(RETRANSMIT_FAST, kRecovery, 0, 1'448, 1));  // nothing is known of owner and place
  events.back().base.owner = {};
  events.back().base.socket.role = ROLE_UNKNOWN;
  events.back().end_seq = 0;
  events.back().flags = RETRANSMIT_FULL;

  for (const uint8_t error : {1, 113, RETRANSMIT_DROPPED, 71}) {  // of the last there is no word
    events.push_back(sent_again(RETRANSMIT_TIMEOUT, kLoss, 1, 5, error == 113 ? 0 : 1));
    events.back().error = error;
  }
  events.push_back(sent_again(RETRANSMIT_TIMEOUT, 9, 6, 0, 1));  // a FIN; a state of congestion that nobody knows yet
  events.back().state = TCP_LAST_ACK;
  ++events.back().end_seq;
  ++events.back().end_seq_raw;
  events.push_back(sent_again(77, kLoss, 6, 5, 1));  // a type of a later version
  for (size_t i = 0; i < events.size(); ++i) {
    events[i].base.header.time_ns += i * kMillisecond;
    events[i].total_segments = static_cast<uint32_t>(i + 1);
  }
  return events;
}

std::string shown(const std::vector<retransmits_event>& structs, SinkOptions options) {
  const EventType& type = find_collector("retransmits")->event;
  const Context context = {.container = "8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c",
                           .runtime = "containerd",
                           .pod = "3a9b8c1d-1111-2222-3333-444455556666",
                           .unit = "cri-containerd.scope",
                           .cgroup_path = "/kubepods"};
  const std::vector<Event> events = events_of(structs, type, &context);
  options.types = {&type};
  return rendered(events, options);
}

class RetransmitsGolden : public testing::TestWithParam<const char*> {};

TEST_P(RetransmitsGolden, EachType) {
  expect_golden(std::string("collectors/retransmits/golden/types.") + GetParam(),
                shown(each_type(), in_format(GetParam())));
}

TEST_P(RetransmitsGolden, Corners) {
  expect_golden(std::string("collectors/retransmits/golden/corners.") + GetParam(),
                shown(corners(), in_format(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Formats, RetransmitsGolden, testing::ValuesIn(kGoldenFormats),
                         [](const auto& format) { return std::string(format.param); });

TEST(RetransmitsTableGolden, OnATerminal) {
  for (const Screen screen : {Screen{80, 24}, Screen{200, 50}}) {
    expect_golden("collectors/retransmits/golden/terminal_" + std::to_string(screen.columns) + ".table",
                  shown(each_type(), {.format = "table", .screen = screen}));
  }
}

// `states --with retransmits`, word for word: scripts read it.
TEST(RetransmitsLine, IsOneOfStatesBesideThem) {
  const std::string line =
      shown({sent_again(RETRANSMIT_FAST, kRecovery, 1, 1'448, 1)}, {.format = "line", .view = "states"});
  EXPECT_EQ(line,
            "Mar 21 2026 14:23:25.454 State Change: SRC=10.100.10.150:39134 DST=10.100.10.202:8000 PID=30512 "
            "COMM=nginx STATE=Retransmit (ESTABLISHED)\n");
  const std::string alone =
      shown({sent_again(RETRANSMIT_FAST, kRecovery, 1, 1'448, 1)}, {.format = "line", .view = "who"});
  EXPECT_NE(alone.find(" Retransmit: SRC="), std::string::npos) << alone;
}

}  // namespace
}  // namespace sockeye
