// SPDX-License-Identifier: Apache-2.0
#include "cli/messages.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <string_view>

#include "base/buffer.h"
#include "base/channel.h"
#include "base/columns.h"
#include "base/output.h"

namespace sockeye {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long a standard error that nobody reads is waited for: once, until it takes something again.
constexpr milliseconds kPatience(250);
std::atomic<bool> takes_words = true;

void put_words(std::string_view text) {
  const Channel channel(STDERR_FILENO);
  const auto until = steady_clock::now() + (takes_words ? kPatience : milliseconds(0));
  takes_words = false;
  while (!text.empty()) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    pollfd room{channel.fd(), POLLOUT, 0};
    if (poll(&room, 1, static_cast<int>(std::max<int64_t>(left, 0))) == 0) return;
    const ssize_t n = channel.write(text);
    if (n > 0) text.remove_prefix(static_cast<size_t>(n));
    if (n < 0 && errno != EINTR && (errno != EAGAIN || left <= 0)) return;
  }
  takes_words = true;
}

// A line, which a terminal would break in the middle of words.
void put_line(std::string_view line) {
  winsize size = {};
  const bool is_terminal = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
  Buffer out(1024);
  add_wrapped(out, line, is_terminal ? size.ws_col : 0);
  put_words(out.view());
}

}  // namespace

int report(const Error& error) {
  say(error.what);
  if (!error.hint.empty()) put_line("  " + error.hint);
  return static_cast<int>(error.code);
}

void say(const std::string& line) { put_line("sockeye: " + line); }

int print(std::string_view text) {
  const auto written = Output::standard(nullptr).write_all(text);
  return written ? 0 : report(written.error());
}

void tell_ready(int fd) {
  if (fd < 0) return;
  if (write(fd, "\n", 1) != 1) say("--ready-fd " + std::to_string(fd) + ": " + errno_text(errno));
  close(fd);
}

}  // namespace sockeye
