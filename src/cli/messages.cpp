// SPDX-License-Identifier: Apache-2.0
#include "cli/messages.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/text.h"

namespace sockeye {

int report(const Error& error) {
  say(error.what);
  if (!error.hint.empty()) fprintf(stderr, "  %s\n", error.hint.c_str());
  return static_cast<int>(error.code);
}

void say(const std::string& line) { fprintf(stderr, "sockeye: %s\n", line.c_str()); }

void tell_ready(int fd) {
  if (fd < 0) return;
  if (write(fd, "\n", 1) != 1) say("--ready-fd " + std::to_string(fd) + ": " + errno_text(errno));
  close(fd);
}

std::string printable(std::string_view untrusted) {
  Buffer out(untrusted.size() + 16);
  add_plain_spaced(out, untrusted);
  return std::string(out.view());
}

std::string with_thousands(uint64_t number) {
  std::string digits = std::to_string(number);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

std::string counted(uint64_t number, const std::string& what) {
  return with_thousands(number) + " " + what + (number == 1 ? "" : "s");
}

}  // namespace sockeye
