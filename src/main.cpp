// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>

#include "cli/command_line.h"

int main(int argc, char** argv) {
  try {
    return sockeye::run_command_line(argc, argv);
  } catch (const std::exception& e) {
    fprintf(stderr, "sockeye: bug: an exception nobody caught: %s\n", e.what());
    return 1;
  }
}
