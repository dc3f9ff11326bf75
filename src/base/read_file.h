// SPDX-License-Identifier: Apache-2.0
// Small files, of /proc above all.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace sockeye {

// At most the first `limit` bytes of `path`, which is relative to the open directory `directory` (or absolute, with
// AT_FDCWD). Error: it cannot be opened or read. Nobody is waited for: a pipe is empty, a terminal an error.
Result<std::string> read_file(int directory, const std::string& path, size_t limit);

}  // namespace sockeye
