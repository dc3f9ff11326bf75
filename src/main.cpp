// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>

#include "base/standard_descriptors.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  if (!sockeye::open_standard_descriptors()) return 1;  // there is nobody to tell, perhaps
  try {
    return sockeye::run_command_line(argc, argv);
  } catch (const std::exception& e) {
    fprintf(stderr, "sockeye: bug: an exception nobody caught: %s\n", e.what());
    return 1;
  }
}
