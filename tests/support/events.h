// SPDX-License-Identifier: Apache-2.0
// Events made by hand, for tests: what the kernel side would have written.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/clock.h"
#include "event/wire.h"

namespace sockeye {

// Stands still at a known instant: boot time 0 is 2026-03-21 14:00:00 UTC.
class FixedClock : public Clock {
 public:
  static constexpr int64_t kBootWallNs = 1'774'101'600'000'000'000;
  uint64_t boot_ns() const override { return 0; }
  int64_t wall_ns() const override { return kBootWallNs; }
};

inline void set_text(char (&array)[TASK_COMM_LEN], std::string_view text) {
  memset(array, 0, sizeof array);
  memcpy(array, text.data(), std::min(text.size(), sizeof array));
}

// `text` is an IPv6 address, or IPv4 as ::ffff:a.b.c.d.
inline void set_address(__u8 (&array)[16], const char* text) { inet_pton(AF_INET6, text, array); }

// A client's socket: 10.100.10.150:39134 -> 10.100.10.202:8000, of nginx.
inline socket_event client_socket() {
  socket_event event = {};
  event.header.time_ns = 1'405'454'000'000;  // 14:23:25.454 with FixedClock
  event.header.cpu = 1;
  event.socket.cookie = 4711;
  event.socket.netns_cookie = 1;
  event.socket.netns = 4026531840;
  set_address(event.socket.laddr, "::ffff:10.100.10.150");
  set_address(event.socket.raddr, "::ffff:10.100.10.202");
  event.socket.lport = 39134;
  event.socket.rport = 8000;
  event.socket.family = AF_INET;
  event.socket.role = ROLE_CLIENT;
  event.owner.start_ns = 1'000'000'000;
  event.owner.cgroup_id = 77;
  event.owner.pid = event.owner.tid = event.owner.ns_pid = 30512;
  event.owner.ppid = 1;
  event.owner.uid = 33;
  event.owner.source = OWNER_CONNECT;
  set_text(event.owner.comm, "nginx");
  set_text(event.owner.thread, "nginx");
  event.context.pid = event.context.tid = 30512;
  set_text(event.context.comm, "nginx");
  return event;
}

// The socket of `event` is a listener on all IPv6 addresses, port 443.
inline void make_listener(socket_event& event) {
  set_address(event.socket.laddr, "::");
  set_address(event.socket.raddr, "::");
  event.socket.family = AF_INET6;
  event.socket.lport = 443;
  event.socket.rport = 0;
  event.socket.role = ROLE_LISTENER;
}

}  // namespace sockeye
