// SPDX-License-Identifier: Apache-2.0
// Rendered events on their way to an output that takes lines: which of them it took is known by where each one ends.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/output.h"
#include "event/unwritten.h"

namespace sockeye {

class LineBuffer {
 public:
  explicit LineBuffer(Output output) : output_(std::move(output)) { ends_.reserve(kFlushAt / 64); }

  // What is to be written; lines that are no event's may be added, too.
  Buffer& text() { return text_; }
  // The text of `event` ends here. What is full is written.
  void end_of(const Event& event);
  void flush();

  Output& output() { return output_; }
  Unwritten take_unwritten() { return std::exchange(unwritten_, {}); }

 private:
  static constexpr size_t kFlushAt = 64 * 1024;

  struct End {
    size_t at;      // in text_
    bool is_event;  // else: `told` holds
    uint64_t told;  // as unwritten_told_by() says
  };

  void count(size_t written);

  Output output_;
  Buffer text_;
  std::vector<End> ends_;
  uint64_t handed_over_ = 0;  // events before those of ends_
  Unwritten unwritten_;
};

}  // namespace sockeye
