// SPDX-License-Identifier: Apache-2.0
// The TCP workload program: what both sides share. load.cpp says what a connection of it is.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace sockeye {

constexpr size_t kMessageBytes = 64;

struct LoadOptions {
  std::string_view side;
  sockaddr_storage address = {};
  socklen_t address_size = 0;
  uint16_t port = 0;
  uint64_t connections = 1000;
  unsigned threads = 2;       // client: that connect; server: that accept, each with a listener of its own
  double rate = 0;            // client: connections or requests a second, evenly; 0: as fast as it goes
  double hold_seconds = -1;   // client: open all, wait, close all at once; below 0: one after the other
  uint64_t requests = 0;      // client: open all, this many messages there and back over them, close all
  uint64_t stream_bytes = 0;  // client: open all, this many bytes there, close all; nothing is answered
  bool discard = false;       // server: answers nothing
  bool figures = false;       // client: how long it took as well
  sockaddr_storage first_source = {};
  uint32_t sources = 0;  // client: source addresses counted up from first_source; 0: the kernel chooses
  int ready_fd = -1;     // gets a byte: server: listening; client: all connections are open
};

struct LoadTruth {
  std::atomic<uint64_t> connections = 0;  // client: made and answered; server: accepted
  std::atomic<uint64_t> closed = 0;
  std::atomic<uint64_t> errors = 0;
};

// SIGINT and SIGTERM, blocked in every thread: the process ends by reading them here.
Fd stop_signals();
void tell_ready(const LoadOptions& options);
void count_error(LoadTruth& truth, const char* what);
void set_option(const Fd& fd, int level, int option);
inline const sockaddr* as_sockaddr(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Status load_server(const LoadOptions& options);
Status load_client(const LoadOptions& options);

}  // namespace sockeye
