// SPDX-License-Identifier: Apache-2.0
// A recording in memory.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "record/input.h"

namespace sockeye::record {

class MemoryInput : public Input {
 public:
  // `at_a_time`: bytes that a read gives at most; between two of them there is nothing yet where `halting`.
  explicit MemoryInput(std::string bytes, size_t at_a_time = SIZE_MAX, bool halting = false)
      : bytes_(std::move(bytes)), at_a_time_(at_a_time), halting_(halting) {}

  ssize_t read(std::span<std::byte> room) override {
    if (halting_ && (halts_ = !halts_)) return kNothingYet;
    const size_t size = std::min({room.size(), at_a_time_, bytes_.size() - at_});
    memcpy(room.data(), bytes_.data() + at_, size);
    at_ += size;
    return static_cast<ssize_t>(size);
  }

 private:
  std::string bytes_;
  size_t at_a_time_;
  bool halting_;
  bool halts_ = false;
  size_t at_ = 0;
};

}  // namespace sockeye::record
