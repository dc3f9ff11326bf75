// SPDX-License-Identifier: Apache-2.0
#include "base/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

namespace sockeye {

bool open_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) continue;
    const int how = fd == STDIN_FILENO ? O_RDONLY : O_WRONLY;
    if (open("/dev/null", how) != fd) return false;  // the lowest that is free, as those below are open
  }
  return true;
}

}  // namespace sockeye
