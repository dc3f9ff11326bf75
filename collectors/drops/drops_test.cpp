// SPDX-License-Identifier: Apache-2.0
// Every format of `drops`, from events made by hand, against the text in golden/.
#include <gtest/gtest.h>

#include <vector>

#include "collectors/drops/drops.event.h"
#include "event/collector.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;

void set_name(char (&array)[DROPS_NAME_LEN], std::string_view text) {
  memset(array, 0, sizeof array);
  memcpy(array, text.data(), std::min(text.size(), sizeof array));
}

// Nobody listens: a SYN to 10.100.10.150:39134, which no socket is known of.
drops_event no_socket() {
  drops_event event = {};
  event.base = client_socket();
  event.base.header.kind = DROPS_KIND;
  event.base.header.size = sizeof event;
  event.base.owner = {};
  event.base.socket.role = ROLE_UNKNOWN;
  event.base.socket.cookie = 0;
  event.base.context = {};
  set_text(event.base.context.comm, "swapper/1");
  set_name(event.reason, "NO_SOCKET");
  set_name(event.function, "tcp_v4_rcv");
  event.reason_number = 3;
  event.length = 40;
  event.sequence = 3'000'000'000;
  event.packets = 1;
  event.type = DROPS_DROP;
  event.protocol = 6;
  event.tcp_flags = 0x02;
  event.direction = DROPS_IN;
  event.flags = DROPS_HAS_REASON | DROPS_HAS_TCP_HEADER;
  return event;
}

drops_event reset(uint8_t type, std::string_view reason) {
  drops_event event = no_socket();
  event.base = client_socket();
  event.base.header.kind = DROPS_KIND;
  event.base.header.size = sizeof event;
  set_name(event.reason, reason);
  set_name(event.function, "");
  event.reason_number = 11;
  event.length = event.sequence = event.tcp_flags = 0;
  event.type = type;
  event.direction = type == DROPS_RESET_SENT ? DROPS_OUT : DROPS_IN;
  event.state = TCP_ESTABLISHED;
  event.flags = type == DROPS_RESET_RECEIVED ? DROPS_TYPE_SAYS_WHY : DROPS_HAS_REASON;
  return event;
}

drops_event full_queue() {
  drops_event event = no_socket();
  event.base = client_socket();
  event.base.header.kind = DROPS_KIND;
  event.base.header.size = sizeof event;
  event.base.socket.role = ROLE_LISTENER;
  event.base.owner.source = OWNER_LISTEN;
  set_name(event.reason, "");
  set_name(event.function, "");
  event.reason_number = 0;
  event.type = DROPS_ACCEPT_OVERFLOW;
  event.state = TCP_LISTEN;
  event.backlog = 129;
  event.backlog_limit = 128;
  event.packets = 3;
  event.last_accept_ns = 1'400'000'000'000;
  event.flags = DROPS_OF_LISTENER | DROPS_HAS_TCP_HEADER | DROPS_TYPE_SAYS_WHY;
  return event;
}

// A full receive buffer of UDP, IPv6.
drops_event full_buffer() {
  drops_event event = no_socket();
  event.base = client_socket();
  event.base.header.kind = DROPS_KIND;
  event.base.header.size = sizeof event;
  set_address(event.base.socket.laddr, "2001:db8:85a3::8a2e:370:7334");
  set_address(event.base.socket.raddr, "fe80::1:2:3:4");
  event.base.socket.family = AF_INET6;
  event.base.socket.lport = 53;
  set_name(event.reason, "SOCKET_RCVBUFF");
  set_name(event.function, "__udp_queue_rcv_skb");
  event.reason_number = 6;
  event.protocol = 17;
  event.length = 1480;
  event.sequence = event.tcp_flags = 0;
  event.flags = DROPS_HAS_REASON;
  return event;
}

std::vector<drops_event> all_kinds() {
  std::vector<drops_event> events = {no_socket(), reset(DROPS_RESET_SENT, "TCP_ABORT_ON_CLOSE"),
                                     reset(DROPS_RESET_RECEIVED, ""), full_queue(), full_buffer()};
  events.push_back(no_socket());  // an old kernel: neither a reason nor a function; a fragment without ports
  set_name(events.back().reason, "");
  set_name(events.back().function, "");
  events.back().reason_number = 0;
  events.back().flags = 0;
  events.back().tcp_flags = 0;
  events.back().base.socket.lport = events.back().base.socket.rport = 0;
  events.back().base.socket.netns = 0;
  events.push_back(no_socket());  // flags that no connection has, a reason of a subsystem's own
  set_name(events.back().reason, "OPENVSWITCH");
  events.back().reason_number = 0x20003;
  events.back().tcp_flags = 0xff;
  events.push_back(no_socket());  // a name without an end that tries to be more than a name
  set_name(events.back().reason, "\033[31m\"\\ REASON=xxxxxxxxxxxxxxxxxxxxxxxxx");
  events.push_back(no_socket());  // a firewall rule stops what a process sends
  events.back().base = client_socket();
  events.back().base.header = events.front().base.header;
  set_name(events.back().reason, "NETFILTER_DROP");
  set_name(events.back().function, "nf_hook_slow");
  events.back().direction = DROPS_OUT;
  events.back().tcp_flags = 0x18;
  events.back().state = TCP_ESTABLISHED;
  for (size_t i = 0; i < events.size(); ++i) events[i].base.header.time_ns += i * kMillisecond;
  return events;
}

std::string shown(const std::vector<drops_event>& structs, SinkOptions options) {
  const EventType& type = find_collector("drops")->event;
  options.types = {&type};
  return rendered(events_of(structs, type), options);
}

class DropsGolden : public testing::TestWithParam<const char*> {};

TEST_P(DropsGolden, AllKinds) {
  expect_golden(std::string("collectors/drops/golden/events.") + GetParam(), shown(all_kinds(), in_format(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Formats, DropsGolden, testing::ValuesIn(kGoldenFormats),
                         [](const auto& format) { return std::string(format.param); });

class DropsTableGolden : public testing::TestWithParam<int> {};

TEST_P(DropsTableGolden, OnATerminal) {
  const int columns = GetParam();
  const SinkOptions options = {.format = "table", .types = {}, .screen = Screen{columns, 24}};
  expect_golden("collectors/drops/golden/terminal_" + std::to_string(columns) + ".table", shown(all_kinds(), options));
}

INSTANTIATE_TEST_SUITE_P(Widths, DropsTableGolden, testing::Values(80, 120, 200),
                         [](const auto& columns) { return std::to_string(columns.param); });

}  // namespace
}  // namespace sockeye
