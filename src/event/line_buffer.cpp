// SPDX-License-Identifier: Apache-2.0
#include "event/line_buffer.h"

namespace sockeye {

void LineBuffer::end_of(const Event& event) {
  ends_.push_back({text_.size(), is_observed(event), unwritten_told_by(event)});
  if (text_.size() >= kFlushAt) flush();
}

void LineBuffer::flush() {
  count(text_.size() == 0 ? 0 : output_.write(text_.view()));
  text_.clear();
  ends_.clear();
}

void LineBuffer::count(size_t written) {
  for (const End& end : ends_) {
    const uint64_t number = handed_over_;
    if (end.is_event) ++handed_over_;
    if (end.at <= written) continue;
    unwritten_.add(number, handed_over_);
    unwritten_.told += end.told;
  }
}

}  // namespace sockeye
