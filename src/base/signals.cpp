// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <utility>

namespace sockeye {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kGrace(500);

// Nobody will ever see what is written to it. A closed pipe is another matter: write() says so.
bool terminal_is_gone() {
  pollfd outputs[] = {{STDOUT_FILENO, 0, 0}, {STDERR_FILENO, 0, 0}};
  return ::poll(outputs, std::size(outputs), 0) > 0 &&
         std::any_of(std::begin(outputs), std::end(outputs), [](const pollfd& fd) { return fd.revents & POLLHUP; });
}

bool is_ignored(int number) {
  struct sigaction action;
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Signals::Signals(Hangup hangup) : hangup_(hangup), hangup_is_ignored_(is_ignored(SIGHUP)) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  fd_.reset(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

void Signals::poll() {
  signalfd_siginfo info;
  while (read(fd_.get(), &info, sizeof info) == sizeof info) {
    if (!is_stop(info.ssi_signo, info.ssi_code)) {
      reopen_ = true;
    } else if (!stopped_at_) {
      stopped_at_ = steady_clock::now();
    }
  }
}

// The kernel itself sends SIGHUP where the terminal hangs up. A signal that was ignored at the start and is blocked
// comes all the same.
bool Signals::is_stop(uint32_t number, int code) const {
  if (number != SIGHUP) return true;
  if (hangup_is_ignored_) return false;
  return hangup_ == Hangup::kStops || code == SI_KERNEL || terminal_is_gone();
}

milliseconds Signals::grace_left() const {
  if (!stopped_at_) return kGrace;
  const auto passed = std::chrono::floor<milliseconds>(steady_clock::now() - *stopped_at_);
  return std::max(kGrace - passed, milliseconds(0));
}

bool Signals::take_reopen_request() { return std::exchange(reopen_, false); }

}  // namespace sockeye
