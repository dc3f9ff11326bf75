// SPDX-License-Identifier: Apache-2.0
#include "bpf/namespace_walk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace sockeye {
namespace {

constexpr uint32_t kNobodys = 17;  // the numbers of real ones are above 0xf0000000

uint32_t own_inode() {
  struct stat info = {};
  EXPECT_EQ(stat("/proc/self/ns/net", &info), 0);
  return static_cast<uint32_t>(info.st_ino);
}

NamespaceWalk::Wanted only(uint32_t wanted) {
  return {.takes = [wanted](uint32_t inode) { return inode == wanted; }};
}

// Says the same each time it is asked, and how often it was.
NamespaceHolders holding(namespace_holder holder, int& asked) {
  return [holder, &asked](const std::function<void(const namespace_holder&)>& visit) -> Status {
    ++asked;
    visit(holder);
    return Ok{};
  };
}

namespace_holder held_here(uint32_t inode, uint32_t by, const Fd& file = Fd()) {
  const auto pid = static_cast<uint32_t>(getpid());
  return {.netns = inode, .pid = pid, .tid = pid, .fd = static_cast<uint32_t>(std::max(file.get(), 0)), .by = by};
}

TEST(NamespaceWalk, BeginsAtHomeAndEndsThere) {
  const uint32_t own = own_inode();
  NamespaceWalk walk(only(own));
  EXPECT_TRUE(walk.enter_next());
  EXPECT_EQ(own_inode(), own);
  EXPECT_FALSE(walk.enter_next());
  EXPECT_FALSE(walk.enter_next());
  EXPECT_EQ(walk.unvisited(), 0);
}

TEST(NamespaceWalk, LeavesOutWhatIsNotWanted) {
  int asked = 0;
  NamespaceWalk walk({.takes = [](uint32_t) { return false; }}, holding(held_here(kNobodys, HELD_BY_SOCKET), asked));
  EXPECT_FALSE(walk.enter_next());
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(walk.unvisited(), 0);
}

TEST(NamespaceWalk, AsksOnceWhereNothingNewIsHeld) {
  int asked = 0;
  NamespaceWalk walk(only(own_inode()), holding(held_here(own_inode(), HELD_BY_SOCKET), asked));
  EXPECT_TRUE(walk.enter_next());
  EXPECT_FALSE(walk.enter_next());
  EXPECT_FALSE(walk.enter_next());
  EXPECT_EQ(asked, 1);
}

TEST(NamespaceWalk, AsksForNoMoreThanAreWanted) {
  int asked = 0;
  NamespaceWalk::Wanted own = only(own_inode());
  own.most = 1;
  NamespaceWalk walk(own, holding(held_here(kNobodys, HELD_BY_SOCKET), asked));
  EXPECT_TRUE(walk.enter_next());
  EXPECT_FALSE(walk.enter_next());
  EXPECT_EQ(asked, 0);
}

// What leads there leads elsewhere each time: whether there is such a namespace nobody can say.
TEST(NamespaceWalk, TellsOfWhatIsHeldAndCannotBeFound) {
  int asked = 0;
  NamespaceWalk walk(only(kNobodys), holding(held_here(kNobodys, HELD_BY_THREAD), asked));
  EXPECT_FALSE(walk.enter_next());
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(walk.unvisited(), 1);
  EXPECT_TRUE(walk.limitation().starts_with("network namespace 17, held by a thread of process ")) << walk.limitation();
}

TEST(NamespaceWalk, PassesOverDescriptorsOfOtherKinds) {
  const Fd file(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
  struct stat info = {};
  ASSERT_EQ(fstat(file.get(), &info), 0);
  int asked = 0;
  const auto uts = static_cast<uint32_t>(info.st_ino);
  NamespaceWalk walk(only(uts), holding(held_here(uts, HELD_BY_DESCRIPTOR, file), asked));
  EXPECT_FALSE(walk.enter_next());
  EXPECT_EQ(walk.unvisited(), 0);
  EXPECT_EQ(walk.limitation().find("held by"), std::string::npos) << walk.limitation();
}

TEST(NamespaceWalk, SaysWhereNobodyCanTellWhatIsHeld) {
  NamespaceWalk walk(only(own_inode()), [](const auto&) -> Status {
    return Error{ErrorCode::kNotPossible, "no iterator", ""};
  });
  EXPECT_TRUE(walk.enter_next());
  EXPECT_FALSE(walk.enter_next());
  EXPECT_EQ(walk.limitation(), "network namespaces that no process is in may be missing: no iterator");
}

}  // namespace
}  // namespace sockeye
