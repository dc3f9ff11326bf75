// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sockeye {
namespace {

// Nobody will ever see what is written to it. A closed pipe is another matter: write() says so.
bool terminal_is_gone() {
  pollfd outputs[] = {{STDOUT_FILENO, 0, 0}, {STDERR_FILENO, 0, 0}};
  return ::poll(outputs, std::size(outputs), 0) > 0 &&
         std::any_of(std::begin(outputs), std::end(outputs), [](const pollfd& fd) { return fd.revents & POLLHUP; });
}

}  // namespace

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
  while (read(fd_.get(), &info, sizeof info) == sizeof info) {
    const bool is_stop = info.ssi_signo != SIGHUP || terminal_is_gone();
    (is_stop ? stop_ : reopen_) = true;
  }
}

bool Signals::take_reopen_request() { return std::exchange(reopen_, false); }

}  // namespace sockeye
