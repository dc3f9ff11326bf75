// SPDX-License-Identifier: Apache-2.0
// A daemon that takes connections, and never says a word.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "base/fd.h"

namespace sockeye {

// A socket that listens at `path`.
inline Fd listen_at(const std::string& path) {
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener.get(), 8), 0);
  return listener;
}

// The kernel takes them for it.
class MuteDaemon {
 public:
  explicit MuteDaemon(const std::string& path) : listener_(listen_at(path)) {}

 private:
  Fd listener_;
};

}  // namespace sockeye
