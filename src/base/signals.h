// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM (stop), SIGHUP (reopen files; stop where the terminal has gone), taken through a descriptor: no
// handler runs in the middle of anything.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/fd.h"

namespace sockeye {

class Signals {
 public:
  // What SIGHUP means while the terminal is there.
  enum class Hangup : uint8_t {
    kStops,    // unless it was ignored at the start (nohup)
    kReopens,  // there are files that are opened again
  };

  // Blocks them for this thread and those it starts.
  explicit Signals(Hangup hangup = Hangup::kStops);

  int fd() const { return fd_.get(); }
  void poll();  // takes what is waiting
  bool stop_requested() const { return stopped_at_.has_value(); }
  // Of the half second that readers have to take what is left, once a stop is requested: one for the whole run.
  std::chrono::milliseconds grace_left() const;
  bool take_reopen_request();  // true once for each SIGHUP or run of them

 private:
  bool is_stop(uint32_t number, int code) const;

  Fd fd_;
  Hangup hangup_;
  bool hangup_is_ignored_;
  std::optional<std::chrono::steady_clock::time_point> stopped_at_;
  bool reopen_ = false;
};

}  // namespace sockeye
