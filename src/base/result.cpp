// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cstring>

namespace sockeye {

std::string errno_text(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof buffer);
}

}  // namespace sockeye
