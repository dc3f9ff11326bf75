// SPDX-License-Identifier: Apache-2.0
// Every format of `connections`, from events made by hand, against the text in golden/.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "collectors/connections/connections.event.h"
#include "event/collector.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;

void set_ends(connections_event& event) {
  const socket_id& id = event.base.socket;
  const bool is_client = event.event_type == CONNECTIONS_CONNECT;
  memcpy(event.saddr, is_client ? id.laddr : id.raddr, sizeof event.saddr);
  memcpy(event.daddr, is_client ? id.raddr : id.laddr, sizeof event.daddr);
  event.sport = is_client ? id.lport : id.rport;
  event.dport = is_client ? id.rport : id.lport;
}

connections_event connect_to(uint8_t outcome, int error = 0) {
  connections_event event = {};
  event.base = client_socket();
  event.base.header.kind = CONNECTIONS_KIND;
  event.base.header.size = sizeof event;
  event.event_type = CONNECTIONS_CONNECT;
  event.outcome = outcome;
  event.error = static_cast<uint8_t>(error);
  event.duration_ns = 1'234'567;
  event.flags = CONNECTIONS_DURATION_KNOWN;
  set_ends(event);
  return event;
}

connections_event accepted(uint8_t source) {
  connections_event event = connect_to(CONNECTIONS_ESTABLISHED);
  event.event_type = CONNECTIONS_ACCEPT;
  socket_id& id = event.base.socket;
  std::swap(id.laddr, id.raddr);
  std::swap(id.lport, id.rport);
  id.cookie = 4712;
  id.role = ROLE_SERVER;
  event.base.owner.pid = event.base.owner.tid = event.base.owner.ns_pid = 812;
  event.base.owner.source = source;
  set_text(event.base.owner.comm, "api");
  set_text(event.base.owner.thread, "api-worker-3");
  event.base.context = {};
  set_text(event.base.context.comm, "api-worker-3");
  event.base.context.pid = event.base.context.tid = 812;
  set_ends(event);
  return event;
}

std::vector<connections_event> all_sorts() {
  std::vector<connections_event> events = {
      connect_to(CONNECTIONS_ESTABLISHED),
      accepted(OWNER_ACCEPT),
      connect_to(CONNECTIONS_REFUSED, ECONNREFUSED),
      connect_to(CONNECTIONS_TIMED_OUT, ETIMEDOUT),
      connect_to(CONNECTIONS_HOST_UNREACHABLE, EHOSTUNREACH),
      connect_to(CONNECTIONS_NET_UNREACHABLE, ENETUNREACH),
      connect_to(CONNECTIONS_DENIED, EPERM),
      connect_to(CONNECTIONS_NO_LOCAL_PORT, EADDRNOTAVAIL),
      connect_to(CONNECTIONS_CANCELLED),
      connect_to(CONNECTIONS_ABORTED, ECONNABORTED),
      connect_to(CONNECTIONS_FAILED, 200),  // an error without a name
      accepted(OWNER_KERNEL),
  };
  set_address(events[0].nat_daddr, "::ffff:172.17.0.3");
  events[0].nat_dport = 80;
  events[3].retransmits = 6;
  events[7].base.socket.lport = 0;
  set_ends(events[7]);
  events[8].flags = 0;
  events[8].duration_ns = 0;
  events[11].base.owner = {};
  events[11].base.owner.source = OWNER_KERNEL;
  set_address(events[11].base.socket.laddr, "2001:db8::150");
  set_address(events[11].base.socket.raddr, "2001:db8:1111:2222:3333:4444:5555:6666");
  events[11].base.socket.family = AF_INET6;
  set_ends(events[11]);
  for (size_t i = 0; i < events.size(); ++i) events[i].base.header.time_ns += i * kMillisecond;
  return events;
}

const EventType& type() { return find_collector("connections")->event; }

std::string shown(const std::vector<connections_event>& structs, SinkOptions options) {
  options.types = {&type()};
  return rendered(events_of(structs, type(), nullptr), options);
}

class ConnectionsGolden : public testing::TestWithParam<const char*> {};

TEST_P(ConnectionsGolden, AllSorts) {
  expect_golden(std::string("collectors/connections/golden/all.") + GetParam(),
                shown(all_sorts(), in_format(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Formats, ConnectionsGolden, testing::ValuesIn(kGoldenFormats),
                         [](const auto& format) { return std::string(format.param); });

class ConnectionsTerminal : public testing::TestWithParam<int> {};

TEST_P(ConnectionsTerminal, Fits) {
  const SinkOptions options = {.format = "table", .types = {}, .screen = Screen{GetParam(), 24}};
  expect_golden("collectors/connections/golden/terminal_" + std::to_string(GetParam()) + ".table",
                shown(all_sorts(), options));
}

INSTANTIATE_TEST_SUITE_P(Widths, ConnectionsTerminal, testing::Values(80, 120, 200));

}  // namespace
}  // namespace sockeye
