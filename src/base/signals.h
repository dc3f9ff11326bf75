// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM (stop), SIGHUP (reopen files; stop where the terminal has gone), taken through a descriptor: no
// handler runs in the middle of anything. SIGPIPE and SIGXFSZ are ignored: a closed pipe, a file that is too long are
// errors of write().
#pragma once

#include "base/fd.h"

namespace sockeye {

class Signals {
 public:
  Signals();  // blocks them for this thread and those it starts

  int fd() const { return fd_.get(); }
  void poll();  // takes what is waiting
  bool stop_requested() const { return stop_; }
  bool take_reopen_request();  // true once for each SIGHUP or run of them

 private:
  Fd fd_;
  bool stop_ = false;
  bool reopen_ = false;
};

}  // namespace sockeye
