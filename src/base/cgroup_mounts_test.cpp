// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup_mounts.h"

#include <gtest/gtest.h>

#include "base/fake_root_for_tests.h"

namespace sockeye {
namespace {

class CgroupMountsTest : public testing::Test {
 protected:
  CgroupMounts find(const std::string& mountinfo) {
    root_.mountinfo(mountinfo);
    auto mounts = find_cgroup_mounts(root_.path());
    EXPECT_TRUE(mounts);
    return mounts ? *mounts : CgroupMounts{};
  }

  FakeRoot root_;
};

TEST_F(CgroupMountsTest, V2Alone) {
  const CgroupMounts mounts =
      find(root_.mount("/", "/sys/fs/cgroup", "shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot"));
  ASSERT_TRUE(mounts.v2);
  EXPECT_EQ(mounts.v2->point, "/sys/fs/cgroup");
  EXPECT_EQ(mounts.v2->root, "/");
  EXPECT_FALSE(mounts.v1_memory);
  EXPECT_FALSE(mounts.has_v1);
}

TEST_F(CgroupMountsTest, Hybrid) {
  root_.mount_hybrid();
  auto mounts = find_cgroup_mounts(root_.path());
  ASSERT_TRUE(mounts);
  ASSERT_TRUE(mounts->v2);
  EXPECT_EQ(mounts->v2->point, "/sys/fs/cgroup/unified");
  ASSERT_TRUE(mounts->v1_memory);
  EXPECT_EQ(mounts->v1_memory->point, "/sys/fs/cgroup/memory");
  EXPECT_TRUE(mounts->has_v1);
}

TEST_F(CgroupMountsTest, V1Alone) {
  const CgroupMounts mounts =
      find(root_.mount("/", "/sys/fs/cgroup/cpu,cpuacct", "shared:14 - cgroup cgroup rw,cpu,cpuacct") +
           root_.mount("/", "/sys/fs/cgroup/memory", "shared:15 - cgroup cgroup rw,seclabel,memory"));
  EXPECT_FALSE(mounts.v2);
  ASSERT_TRUE(mounts.v1_memory);
  EXPECT_EQ(mounts.v1_memory->point, "/sys/fs/cgroup/memory");
}

TEST_F(CgroupMountsTest, V1WithoutMemory) {
  const CgroupMounts mounts =
      find(root_.mount("/", "/sys/fs/cgroup/systemd", "- cgroup cgroup rw,xattr,name=memory_not"));
  EXPECT_TRUE(mounts.has_v1);
  EXPECT_FALSE(mounts.v1_memory);
}

TEST_F(CgroupMountsTest, PrefersTheMountThatShowsAllOfIt) {
  const CgroupMounts mounts =
      find(root_.mount("/kubepods/pod1", "/a", "- cgroup2 cgroup2 rw") +
           root_.mount("/", "/b", "- cgroup2 cgroup2 rw") + root_.mount("/", "/c", "- cgroup2 cgroup2 rw"));
  ASSERT_TRUE(mounts.v2);
  EXPECT_EQ(mounts.v2->point, "/b");
}

TEST_F(CgroupMountsTest, TakesAPartWhereThereIsNoMore) {
  const CgroupMounts mounts = find(root_.mount("/docker/1", "/sys/fs/cgroup", "- cgroup2 cgroup rw"));
  ASSERT_TRUE(mounts.v2);
  EXPECT_EQ(mounts.v2->root, "/docker/1");
}

TEST_F(CgroupMountsTest, PassesOverHiddenMounts) {
  const CgroupMounts mounts = find("999999999 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n" +
                                   root_.mount("/part", "/sys/fs/cgroup", "- cgroup2 cgroup2 rw"));
  ASSERT_TRUE(mounts.v2);
  EXPECT_EQ(mounts.v2->root, "/part");
}

TEST_F(CgroupMountsTest, UndoesTheEscaping) {
  std::string line = root_.mount("/a\\040b\\134x2d", "/mnt\ta\\9", "- cgroup2 cgroup2 rw");
  line.replace(line.find('\t'), 1, "\\011");
  const CgroupMounts mounts = find(line);
  ASSERT_TRUE(mounts.v2);
  EXPECT_EQ(mounts.v2->root, "/a b\\x2d");
  EXPECT_EQ(mounts.v2->point, "/mnt\ta\\9");
}

TEST_F(CgroupMountsTest, PassesOverGarbage) {
  std::string cut = root_.mount("/", "/x", "- cgroup2 cgroup2 rw");
  cut.pop_back();
  const CgroupMounts mounts =
      find("\n - \n - cgroup2\n1 2 3 - cgroup2 x rw\n" + root_.mount("relative", "/x", "- cgroup2 x rw") +
           root_.mount("/", "/x", "cgroup2 cgroup2 rw") + "1 2 0:3 / x - cgroup2 x rw\n" + cut);
  EXPECT_FALSE(mounts.v2);
  EXPECT_FALSE(mounts.has_v1);
  EXPECT_TRUE(find(cut + "\n").v2) << "the last line lacked nothing but its end";
}

TEST_F(CgroupMountsTest, NeedsMountinfo) { EXPECT_FALSE(find_cgroup_mounts(root_.path())); }

}  // namespace
}  // namespace sockeye
