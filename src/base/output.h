// SPDX-License-Identifier: Apache-2.0
// Where rendered lines go: a terminal, a pipe or a file. Whole lines or none: what a full disk cuts off is taken back
// and counted, and the stream goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/channel.h"
#include "base/counter.h"
#include "base/output_file.h"
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
  // Standard output. `signals` may be null; else a reader that does not read is waited for no longer than they say.
  static Output standard(Signals* signals);
  // A file that lines are appended to. Where it was not there it goes again, unless keep() is called.
  static Result<Output> file(const std::string& path, Signals* signals);
  // A file that nothing has been written to yet, for write_whole(): a file that holds something is refused.
  static Result<Output> new_file(const std::string& path, Signals* signals);

  bool is_terminal() const { return channel_.is_terminal(); }
  Screen screen() const;  // as it is now: a system call
  bool is_same_file(const Output& other) const;
  void keep() { made_.keep(); }
  // Other outputs wait while this one does: a reader that takes nothing for so long is waited for no more until it
  // takes something again, and loses what there is meanwhile. Without it a reader is waited for as long as the run
  // lasts.
  void wait_at_most(std::chrono::milliseconds patience) { patience_ = patience; }

  // Writes `lines`, each ending in a newline: how many bytes of it were written, or are wanted by nobody any more. What
  // could not be written is counted in lost_lines().
  size_t write(std::string_view lines);

  // Writes all of `text`, which stands by itself: where it cannot be written that is an error, and nothing is counted.
  Status write_all(std::string_view text);

  // Writes `bytes` that stand for so many lines, all of them or, where it is a file, none. False: they are lost.
  bool write_whole(std::string_view bytes, uint64_t lines);

  // Closes and opens the file again by its path, after a logrotate. Where that fails the old file stays. A new_file()
  // is never opened again.
  void reopen();

  // What a file system says only when a file is closed (NFS, quotas): false, and a complaint, where it was not written.
  bool settle();

  // Nobody reads standard output any more: a system call. The run is over then, and nothing is lost. Any other output
  // that is not read loses lines as a full disk does, until somebody reads it again.
  bool is_closed() const { return closed_ || (path_.empty() && channel_.reader_is_gone()); }
  // Nothing more is written: the run was told to stop and its reader does not read, or half of something was written.
  bool has_given_up() const { return given_up_ != 0; }
  SOCKEYE_COUNTER uint64_t lost_lines() const { return lost_lines_; }
  // What went wrong since it was last asked: each kind of failure once for each file; empty: nothing.
  std::string take_complaint();

 private:
  Output(Channel channel, std::string path, Signals* signals);

  size_t write_some(std::string_view text);
  bool write_rest();
  bool make_room(bool was_wrong);
  bool wait_until_writable(bool was_wrong, int patience_ms);
  void take_back(size_t bytes);
  bool says_reader_is_gone(int error) const;
  void fail(uint64_t lines, int error);
  std::string name() const { return path_.empty() ? "standard output" : path_; }

  Channel channel_;
  std::string path_;  // empty: standard output
  Signals* signals_;
  MadeFile made_;
  bool is_whole_ = false;  // made by new_file()
  bool closed_ = false;
  std::optional<std::chrono::milliseconds> patience_;
  bool is_stalled_ = false;  // its reader takes nothing, and is waited for no more
  std::string rest_;         // of what was begun when it stalled: goes first
  int given_up_ = 0;         // the errno with which what comes from here on is lost, unwritten
  int told_of_ = 0;          // the errno that the last complaint was about
  SOCKEYE_COUNTER uint64_t lost_lines_ = 0;
  std::string complaint_;
};

}  // namespace sockeye
