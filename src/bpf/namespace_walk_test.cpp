// SPDX-License-Identifier: Apache-2.0
#include "bpf/namespace_walk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace sockeye {
namespace {

uint32_t own_inode() {
  struct stat info = {};
  EXPECT_EQ(stat("/proc/self/ns/net", &info), 0);
  return static_cast<uint32_t>(info.st_ino);
}

TEST(NamespaceWalk, BeginsAtHomeAndEndsThere) {
  const uint32_t own = own_inode();
  NamespaceWalk walk([own](uint32_t inode) { return inode == own; });
  EXPECT_TRUE(walk.enter_next());
  EXPECT_EQ(own_inode(), own);
  EXPECT_FALSE(walk.enter_next());
  EXPECT_FALSE(walk.enter_next());
  EXPECT_EQ(walk.unvisited(), 0);
}

TEST(NamespaceWalk, LeavesOutWhatIsNotWanted) {
  NamespaceWalk walk([](uint32_t) { return false; });
  EXPECT_FALSE(walk.enter_next());
}

}  // namespace
}  // namespace sockeye
