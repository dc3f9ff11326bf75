// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include <sys/signalfd.h>
#include <csignal>

#include <utility>

namespace sockeye {

Signals::Signals() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file as long as `ulimit -f` allows is one that cannot be written: EFBIG
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  fd_.reset(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

void Signals::poll() {
  signalfd_siginfo info;
  while (read(fd_.get(), &info, sizeof info) == sizeof info) (info.ssi_signo == SIGHUP ? reopen_ : stop_) = true;
}

bool Signals::take_reopen_request() { return std::exchange(reopen_, false); }

}  // namespace sockeye
