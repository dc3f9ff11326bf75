// SPDX-License-Identifier: Apache-2.0
// Every format of `retransmits --totals`, from events made by hand, against the text in golden/.
#include <gtest/gtest.h>

#include <vector>

#include "collectors/retransmit_totals/retransmit_totals.event.h"
#include "event/collector.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

retransmit_totals_event counted(uint64_t scale) {
  retransmit_totals_event event = {};
  event.base = client_socket();
  event.base.header.kind = RETRANSMIT_TOTALS_KIND;
  event.base.header.size = sizeof event;
  event.interval_ns = 10'000'000'000;
  event.timeout = 2 * scale;
  event.fast = 40 * scale;
  event.tail_loss_probe = 3 * scale;
  event.syn = scale;
  event.non_congestion = scale / 2;
  event.segments = event.timeout + event.fast + event.tail_loss_probe + event.syn + event.non_congestion;
  event.bytes = event.segments * 1448;
  event.failed = scale / 4;
  return event;
}

retransmit_totals_event group(uint64_t scale, uint8_t name) {
  retransmit_totals_event event = counted(scale);
  event.base.socket = {};
  event.base.owner = {};
  event.base.context = {};
  event.group = name;
  return event;
}

retransmit_totals_event of_process(uint64_t scale) {
  retransmit_totals_event event = counted(scale);
  event.base.socket = {};
  return event;
}

std::string shown(const std::vector<retransmit_totals_event>& structs, SinkOptions options) {
  static const Context kContainer = {.container = "8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c",
                                     .runtime = "containerd",
                                     .pod = "3a9b8c1d-1111-2222-3333-444455556666"};
  const EventType& type = find_collector("retransmit_totals")->event;
  std::vector<Event> events = events_of(structs, type);
  events[0].context = &kContainer;
  options.types = {&type};
  return rendered(events, options);
}

SinkOptions with_view(const char* view, std::string_view format) {
  SinkOptions options = in_format(format);
  options.view = view;
  return options;
}

class RetransmitTotalsGolden : public testing::TestWithParam<const char*> {};

TEST_P(RetransmitTotalsGolden, Groups) {
  const std::string folder = "collectors/retransmit_totals/golden/", format = GetParam();
  retransmit_totals_event server = counted(1);
  server.base.socket.family = AF_INET6;
  set_address(server.base.socket.laddr, "2001:db8::150");
  set_address(server.base.socket.raddr, "fe80::1:2:3:4");
  server.synack = 7;
  expect_golden(folder + "connection." + format,
                shown({counted(1000), server, group(1, TOTALS_OTHER)}, in_format(format)));
  expect_golden(
      folder + "process." + format,
      shown({of_process(1000), group(3, TOTALS_UNKNOWN), group(2, TOTALS_KERNEL)}, with_view("process", format)));
  expect_golden(folder + "container." + format,
                shown({group(1000, TOTALS_NAMED), group(5, TOTALS_NO_CONTAINER), group(2, TOTALS_UNKNOWN)},
                      with_view("container", format)));
}

INSTANTIATE_TEST_SUITE_P(Formats, RetransmitTotalsGolden, testing::ValuesIn(kGoldenFormats),
                         [](const auto& format) { return std::string(format.param); });

}  // namespace
}  // namespace sockeye
