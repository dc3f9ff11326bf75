// SPDX-License-Identifier: Apache-2.0
#include "base/standard_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sockeye {
namespace {

// In a child: 0 where everything is as it should be, else the number of the check that failed.
int close_and_open() {
  struct stat before, after, null;
  if (fstat(STDIN_FILENO, &before) != 0 || stat("/dev/null", &null) != 0) return 1;
  close(STDOUT_FILENO);
  close(STDERR_FILENO);
  if (!open_standard_descriptors()) return 2;
  if (fstat(STDIN_FILENO, &after) != 0 || after.st_ino != before.st_ino) return 3;
  for (int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (fstat(fd, &after) != 0 || after.st_rdev != null.st_rdev) return 4;
    if (write(fd, "", 1) != 1) return 5;
  }
  return open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 6;
}

TEST(StandardDescriptors, ThoseThatAreClosedLeadNowhere) {
  const pid_t child = fork();
  if (child == 0) _exit(close_and_open());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "check number";
}

}  // namespace
}  // namespace sockeye
