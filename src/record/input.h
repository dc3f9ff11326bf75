// SPDX-License-Identifier: Apache-2.0
// Where the bytes of a recording come from.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace sockeye::record {

class Input {
 public:
  static constexpr ssize_t kNothingYet = -2;

  virtual ~Input() = default;
  // How many bytes were read; 0: that was all; -1 with errno; kNothingYet: more may come later.
  virtual ssize_t read(std::span<std::byte> room) = 0;
  // Waits until read() has something to say.
  virtual void wait() {}
  // Becomes readable when more comes; -1: read() has never to wait.
  virtual int wake_fd() const { return -1; }
};

// A file, or standard input where the path is "-". kUsage where it cannot be opened.
Result<std::unique_ptr<Input>> open_input(const std::string& path);

}  // namespace sockeye::record
