// SPDX-License-Identifier: Apache-2.0
// What a user may see of words from anybody.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/result.h"
#include "base/text.h"

namespace sockeye {

// An error says something, on one line, in which nothing is left that a terminal obeys.
inline void check_shown(const Error& error) {
  if (error.code != ErrorCode::kUsage || error.what.empty()) abort();
  for (std::string text : {error.what, error.hint}) {
    std::replace(text.begin(), text.end(), '\\',
                 '/');  // is there where something was escaped, and would be escaped again
    if (printable(text) != text) abort();
  }
}

}  // namespace sockeye
