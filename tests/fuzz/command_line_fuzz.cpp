// SPDX-License-Identifier: Apache-2.0
// The input is a command line: its words, with a NUL after each but the last. It is understood, not carried out. Names
// are looked up, as by every run: users, and files that --netns might mean, which are not opened unless they are
// namespaces.
#include "cli/command_line.h"

#include <cstdint>

#include "tests/fuzz/shown_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string line(reinterpret_cast<const char*>(data), size);
  line += '\0';
  std::vector<const char*> words = {"sockeye"};
  if (size > 0) {
    for (size_t at = 0; at < line.size(); at = line.find('\0', at) + 1) words.push_back(line.data() + at);
  }
  const auto work = sockeye::parse_command_line(static_cast<int>(words.size()), words.data());
  if (!work) sockeye::check_shown(work.error());
  if (work && !*work) abort();
  return 0;
}
