// SPDX-License-Identifier: Apache-2.0
#include "event/shown_address.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "event/collector.h"
#include "tests/support/events.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

const EventType& type() { return find_collector("who")->event; }

struct Local {
  std::vector<std::byte> bytes{type().size};
  socket_event& body = *reinterpret_cast<socket_event*>(bytes.data());

  explicit Local(uint32_t scope) {
    body = client_socket();
    body.header.kind = type().kind;
    body.header.size = type().size;
    set_address(body.socket.laddr, "fe80::1");
    set_address(body.socket.raddr, "fe80::2");
    body.socket.family = AF_INET6;
    body.socket.scope_id = scope;
  }
  Event event(const InterfaceName* name = nullptr) const {
    return {.header = &body.header, .type = &type(), .interface = name};
  }
  std::string shown(std::string_view field, const InterfaceName* name = nullptr, AddName add = add_plain) const {
    Buffer out;
    add_shown_address(out, *find_field(type(), field), event(name), add);
    return std::string(out.view());
  }
};

TEST(ShownAddress, HasTheInterfaceOfALinkLocalOne) {
  const InterfaceName eth0{1, 3, "eth0"};
  EXPECT_EQ(Local(3).shown("laddr", &eth0), "fe80::1%eth0");
  EXPECT_EQ(Local(3).shown("daddr", &eth0), "fe80::2%eth0");
  EXPECT_EQ(Local(3).shown("laddr"), "fe80::1%3") << "a name that is not known";
  EXPECT_EQ(Local(0).shown("laddr"), "fe80::1");
}

TEST(ShownAddress, OfAnyOtherThereIsNone) {
  const InterfaceName eth0{1, 3, "eth0"};
  Local local(3);
  for (const char* address : {"fe7f::1", "fec0::1", "::1", "2001:db8::1", "::"}) {
    set_address(local.body.socket.laddr, address);
    EXPECT_EQ(local.shown("laddr", &eth0), address);
  }
  set_address(local.body.socket.laddr, "::ffff:10.0.0.1");
  EXPECT_EQ(local.shown("laddr", &eth0), "10.0.0.1");
  set_address(local.body.socket.laddr, "febf::1");
  EXPECT_EQ(local.shown("laddr", &eth0), "febf::1%eth0");
}

TEST(ShownAddress, ANameIsEscapedAsTheFormatDoesIt) {
  const InterfaceName evil{1, 3, "a\"\033[31m\\"};
  EXPECT_EQ(Local(3).shown("laddr", &evil), "fe80::1%a\"\\x1b[31m\\x5c");
  EXPECT_EQ(Local(3).shown("laddr", &evil, add_json_text), "fe80::1%a\\\"\\u001b[31m\\\\");
}

TEST(ShownAddress, IsTheSameInEveryFormat) {
  const InterfaceName eth0{1, 3, "eth0"};
  const Local local(3);
  const std::vector<Event> events = {local.event(&eth0)};
  const std::string json = rendered(events, {.format = "json", .types = {&type()}});
  for (const char* member : {R"("laddr":"fe80::1%eth0")", R"("raddr":"fe80::2%eth0")", R"("saddr":"fe80::1%eth0")"})
    EXPECT_NE(json.find(member), std::string::npos) << json;
  const std::string line = rendered(events, {.format = "line", .types = {&type()}});
  EXPECT_NE(line.find("SRC=[fe80::1%eth0]:39134 DST=[fe80::2%eth0]:8000"), std::string::npos) << line;
  const std::string table = rendered(events, {.format = "table", .types = {&type()}});
  EXPECT_NE(table.find(" fe80::1%eth0 "), std::string::npos) << table;
}

}  // namespace
}  // namespace sockeye
