// SPDX-License-Identifier: Apache-2.0
// A descriptor that text goes to. Writing to it never waits: a terminal or a pipe is written to through an open file
// description of its own that does not block, as the flag of an inherited one is shared with whoever else has it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "base/fd.h"

namespace sockeye {

class Channel {
 public:
  explicit Channel(int inherited);
  explicit Channel(Fd own);  // opened with O_NONBLOCK

  int fd() const { return own_ ? own_.get() : inherited_; }
  bool is_regular() const { return kind_ == Kind::kRegular; }
  bool is_terminal() const { return kind_ == Kind::kTerminal; }
  // Whether write() may wait after all, where there is no description of its own to be had: poll() is to be asked
  // first.
  bool may_wait() const { return !own_ && kind_ != Kind::kRegular && kind_ != Kind::kSocket; }

  // Nobody will ever read what is written to it: the pipe or the connection is closed, the terminal hung up.
  bool reader_is_gone() const;
  // What write() says: of a file or a device the whole text, else as many whole lines as a pipe takes at once. -1 and
  // EAGAIN: there is no room now.
  ssize_t write(std::string_view text) const;

 private:
  enum class Kind : uint8_t { kRegular, kTerminal, kPipe, kSocket, kDevice };

  static Kind kind_of(int fd);

  int inherited_ = -1;
  Fd own_;
  Kind kind_;
};

}  // namespace sockeye
