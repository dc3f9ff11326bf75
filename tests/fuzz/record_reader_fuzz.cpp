// SPDX-License-Identifier: Apache-2.0
// The input is the file.
#include "tests/fuzz/replay.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sockeye::replay_for_fuzzing(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
