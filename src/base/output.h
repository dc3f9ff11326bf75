// SPDX-License-Identifier: Apache-2.0
// Where rendered lines go: a terminal, a pipe or a file. Whole lines or none: what a full disk cuts off is taken back
// and counted, and the stream goes on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/counter.h"
#include "base/fd.h"
#include "base/result.h"
#include "base/signals.h"

namespace sockeye {

// Of a terminal, in characters.
struct Screen {
  int columns = 0;  // 0: it is no terminal
  int rows = 0;
};

// Whether what is written there may be coloured unasked: a terminal, and no dumb one, and NO_COLOR (no-color.org) is
// not set.
bool may_colour(bool is_terminal);

class Output {
 public:
  // Standard output. `signals` may be null; else a stop request ends waiting for a reader that does not read.
  static Output standard(Signals* signals);
  // A file that is appended to, made where it is not there (mode 0640: lines tell who talks to whom).
  static Result<Output> file(const std::string& path, Signals* signals);
  // A file that nothing has been written to yet, for write_whole(): a file that holds something is refused (mode 0640).
  static Result<Output> new_file(const std::string& path, Signals* signals);

  bool is_terminal() const;
  Screen screen() const;  // as it is now: a system call

  // Writes `lines`, each ending in a newline. What could not be written is counted in lost_lines().
  void write(std::string_view lines);

  // Writes all of `text`, which stands by itself: where it cannot be written that is an error, and nothing is counted.
  Status write_all(std::string_view text);

  // Writes `bytes` that stand for so many lines, all of them or, where it is a file, none. False: not written.
  bool write_whole(std::string_view bytes, uint64_t lines);

  // Closes and opens the file again by its path, after a logrotate. Where that fails the old file stays. A new_file()
  // is never opened again.
  void reopen();

  bool is_closed() const { return closed_; }  // nobody reads any more (EPIPE)
  SOCKEYE_COUNTER uint64_t lost_lines() const { return lost_lines_; }
  // What went wrong since it was last asked: each kind of failure once for each file; empty: nothing.
  std::string take_complaint();

 private:
  Output(Fd owned, int fd, std::string path, Signals* signals);

  size_t write_some(std::string_view text);
  bool wait_until_writable();
  void take_back(size_t bytes);
  void fail(uint64_t lines, int error);

  Fd owned_;
  int fd_;
  std::string path_;  // empty: standard output
  Signals* signals_;
  bool is_regular_ = false;
  bool is_whole_ = false;  // made by new_file()
  bool closed_ = false;
  int told_of_ = 0;  // the errno that the last complaint was about
  SOCKEYE_COUNTER uint64_t lost_lines_ = 0;
  std::string complaint_;
};

}  // namespace sockeye
