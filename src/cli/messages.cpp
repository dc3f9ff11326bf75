// SPDX-License-Identifier: Apache-2.0
#include "cli/messages.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/output.h"

namespace sockeye {

int report(const Error& error) {
  say(error.what);
  if (!error.hint.empty()) fprintf(stderr, "  %s\n", error.hint.c_str());
  return static_cast<int>(error.code);
}

void say(const std::string& line) { fprintf(stderr, "sockeye: %s\n", line.c_str()); }

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
