// SPDX-License-Identifier: Apache-2.0
// Every format of `lifetimes`, from events made by hand, against the text in golden/.
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <vector>

#include "collectors/lifetimes/lifetimes.event.h"
#include "event/collector.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint8_t kAllKnown = LIFE_DURATION_KNOWN | LIFE_HANDSHAKE_KNOWN | LIFE_BYTES_KNOWN | LIFE_RTT_KNOWN |
                              LIFE_SYN_KNOWN | LIFE_CLOSING_KNOWN | LIFE_FIN_RECEIVED;

// A client's request, all there is to know.
lifetimes_event life() {
  lifetimes_event event = {};
  event.base = client_socket();
  event.base.header.kind = LIFETIMES_KIND;
  event.base.header.size = sizeof event;
  event.duration_ns = 1'234'567'890;
  event.handshake_ns = 345'678;
  event.closing_ns = 456'789;
  event.busy_ns = 500 * kMillisecond;
  event.rwnd_limited_ns = 300 * kMillisecond;
  event.sndbuf_limited_ns = 4 * kMillisecond;
  event.bytes_written = event.bytes_acked = 517;
  event.bytes_received = 65'536;
  event.segs_out = 31;
  event.segs_in = 52;
  event.retransmits = 3;
  event.syn_retransmits = 1;
  event.srtt_us = 345;
  event.rttvar_us = 67;
  event.min_rtt_us = 201;
  event.end = LIFE_CLOSED;
  event.closed_by = CLOSED_BY_LOCAL;
  event.local_close = LOCAL_CLOSE_CALL;
  event.last_state = TCP_FIN_WAIT2;
  event.flags = kAllKnown;
  return event;
}

lifetimes_event server_life() {
  lifetimes_event event = life();
  socket_event& base = event.base;
  std::swap(base.socket.laddr, base.socket.raddr);
  std::swap(base.socket.lport, base.socket.rport);
  base.socket.cookie = 4712;
  base.socket.role = ROLE_SERVER;
  base.owner.pid = base.owner.tid = base.owner.ns_pid = base.context.pid = base.context.tid = 812;
  base.owner.source = OWNER_USE;
  set_text(base.owner.comm, "api");
  set_text(base.owner.thread, "api");
  set_text(base.context.comm, "api");
  std::swap(event.bytes_written, event.bytes_received);
  event.bytes_acked = event.bytes_written;
  event.closed_by = CLOSED_BY_REMOTE;
  event.last_state = TCP_LAST_ACK;
  return event;
}

lifetimes_event attempt(uint8_t end, uint8_t by, uint8_t error) {
  lifetimes_event event = life();
  event.handshake_ns = event.closing_ns = event.busy_ns = event.rwnd_limited_ns = event.sndbuf_limited_ns = 0;
  event.bytes_written = event.bytes_acked = event.bytes_received = 0;
  event.segs_in = event.srtt_us = event.rttvar_us = event.min_rtt_us = 0;
  event.segs_out = 1 + event.syn_retransmits;
  event.retransmits = event.syn_retransmits;
  event.end = end;
  event.closed_by = by;
  event.local_close = LOCAL_CLOSE_NONE;
  event.error = error;
  event.last_state = TCP_SYN_SENT;
  event.flags = LIFE_DURATION_KNOWN | LIFE_BYTES_KNOWN | LIFE_SYN_KNOWN;
  return event;
}

lifetimes_event broken(uint8_t end, uint8_t by, uint8_t error) {
  lifetimes_event event = server_life();
  event.end = end;
  event.closed_by = by;
  event.error = error;
  event.local_close = LOCAL_CLOSE_NONE;
  event.last_state = TCP_ESTABLISHED;
  event.bytes_acked -= 1'448;
  event.closing_ns = 0;
  event.flags = kAllKnown & ~(LIFE_CLOSING_KNOWN | LIFE_FIN_RECEIVED);
  return event;
}

// One of each way to end.
std::vector<lifetimes_event> ends() {
  std::vector<lifetimes_event> events = {life(), server_life()};
  events.push_back(attempt(LIFE_REFUSED, CLOSED_BY_REMOTE, ECONNREFUSED));
  events.push_back(attempt(LIFE_UNREACHABLE, CLOSED_BY_NETWORK, EHOSTUNREACH));
  events.push_back(attempt(LIFE_CANCELLED, CLOSED_BY_LOCAL, 0));
  events.back().local_close = LOCAL_CLOSE_KILL;
  events.back().exit_signal = SIGTERM;
  events.push_back(attempt(LIFE_FAILED, CLOSED_BY_LOCAL, 0));
  events.back().segs_out = events.back().retransmits = events.back().syn_retransmits = 0;
  events.back().base.socket.lport = 0;
  events.push_back(attempt(LIFE_SYN_TIMED_OUT, CLOSED_BY_NOBODY, ETIMEDOUT));
  events.push_back(broken(LIFE_RESET_SENT, CLOSED_BY_LOCAL, 0));
  events.back().bytes_unread = 100;
  events.back().local_close = LOCAL_CLOSE_EXIT;
  events.push_back(broken(LIFE_RESET_RECEIVED, CLOSED_BY_REMOTE, ECONNRESET));
  events.push_back(broken(LIFE_TIMED_OUT, CLOSED_BY_NOBODY, ETIMEDOUT));
  events.push_back(broken(LIFE_WINDOW_TIMED_OUT, CLOSED_BY_NOBODY, ETIMEDOUT));
  events.push_back(broken(LIFE_KEEPALIVE_TIMED_OUT, CLOSED_BY_NOBODY, EHOSTUNREACH));
  events.back().soft_error = EHOSTUNREACH;
  events.push_back(broken(LIFE_DESTROYED, CLOSED_BY_LOCAL, ECONNABORTED));
  events.back().base.context.pid = events.back().base.context.tid = 4242;
  set_text(events.back().base.context.comm, "ss");
  events.push_back(broken(LIFE_OUT_OF_RESOURCES, CLOSED_BY_LOCAL, 0));
  events.back().last_state = TCP_FIN_WAIT1;
  for (size_t i = 0; i < events.size(); ++i) events[i].base.header.time_ns += i * kMillisecond;
  return events;
}

// What is seldom, and must not be wrong either.
std::vector<lifetimes_event> corners() {
  std::vector<lifetimes_event> events = {life()};  // older than the run, and nothing known of its owner
  events.back().base.owner = {};
  events.back().base.context = {};
  events.back().base.socket.role = ROLE_UNKNOWN;
  events.back().handshake_unknown = HANDSHAKE_BEFORE_START;
  events.back().handshake_ns = events.back().bytes_written = events.back().bytes_acked = 0;
  events.back().syn_retransmits = 0;
  events.back().srtt_us = events.back().rttvar_us = events.back().min_rtt_us = 0;
  events.back().flags = LIFE_SINCE_START | LIFE_DURATION_KNOWN;

  events.push_back(server_life());  // a deferred accept over IPv6, much of everything, half closed
  set_address(events.back().base.socket.laddr, "2001:db8:85a3::8a2e:370:7334");
  set_address(events.back().base.socket.raddr, "2001:db8:1111:2222:3333:4444:5555:6666");
  events.back().base.socket.family = AF_INET6;
  events.back().handshake_unknown = HANDSHAKE_WITH_DATA;
  events.back().handshake_ns = 0;
  events.back().flags &= static_cast<uint8_t>(~LIFE_HANDSHAKE_KNOWN);
  events.back().duration_ns = 100'000'000'000'000;
  events.back().bytes_written = events.back().bytes_acked = 123'456'789'012'345;
  events.back().bytes_received = 18'446'744'073'709'551'615ull;
  events.back().segs_in = events.back().segs_out = events.back().retransmits = 4'294'967'295;
  events.back().syn_retransmits = 255;
  events.back().local_close = LOCAL_CLOSE_HALF;
  events.back().closed_by = CLOSED_BY_BOTH;

  events.push_back(life());  // values that this version does not know, names that try to be more than names
  events.back().end = events.back().closed_by = events.back().error = events.back().last_state = 200;
  events.back().local_close = events.back().handshake_unknown = 200;
  set_text(events.back().base.owner.comm, "a\n\033[31mb\"\\ c=");
  set_text(events.back().base.owner.thread,
           "\xff\xc2\x9b"
           "END=x y");
  for (size_t i = 0; i < events.size(); ++i) events[i].base.header.time_ns += i * kMillisecond;
  return events;
}

std::string shown(const std::vector<lifetimes_event>& structs, SinkOptions options) {
  const EventType& type = find_collector("lifetimes")->event;
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

class LifetimesGolden : public testing::TestWithParam<const char*> {};

TEST_P(LifetimesGolden, Ends) {
  expect_golden(std::string("collectors/lifetimes/golden/ends.") + GetParam(), shown(ends(), in_format(GetParam())));
}

TEST_P(LifetimesGolden, Corners) {
  expect_golden(std::string("collectors/lifetimes/golden/corners.") + GetParam(),
                shown(corners(), in_format(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Formats, LifetimesGolden, testing::ValuesIn(kGoldenFormats),
                         [](const auto& format) { return std::string(format.param); });

TEST(LifetimesTableGolden, OnATerminal) {
  std::vector<lifetimes_event> events = ends();
  for (const lifetimes_event& event : corners()) events.push_back(event);
  for (const Screen screen : {Screen{80, 24}, Screen{120, 24}, Screen{200, 50}}) {
    expect_golden("collectors/lifetimes/golden/terminal_" + std::to_string(screen.columns) + ".table",
                  shown(events, {.format = "table", .screen = screen}));
  }
}

// The columns of tcplife are there on 80 columns, but for the own address, which goes before the end does.
TEST(LifetimesTable, FitsATerminalOfUsualWidth) {
  const std::string table = shown(ends(), {.format = "table", .times = TimeStyle::kNone, .screen = Screen{80, 24}});
  const std::string header = table.substr(0, table.find('\n'));
  for (const char* name : {"PID", "COMM", "LPORT", "RADDR", "RPORT", "TX_B", "RX_B", "MS", "END"}) {
    EXPECT_NE(header.find(name), std::string::npos) << name << " is not in " << header;
  }
}

TEST(LifetimesJson, WhatIsNotKnownIsNoNumber) {
  const std::string json = shown({corners().front()}, {"json"});
  for (const char* key : {"handshake_us", "bytes_written", "bytes_acked", "syn_retransmits", "srtt_us", "min_rtt_us",
                          "rttvar_us", "error", "closing_us"}) {
    EXPECT_NE(json.find('"' + std::string(key) + "\":null"), std::string::npos) << key << " in " << json;
  }
}

}  // namespace
}  // namespace sockeye
