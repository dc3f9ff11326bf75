// SPDX-License-Identifier: Apache-2.0
// The fake hierarchies are ordinary directories, which take no kernfs handles: what is tested here are the other ways.
#include "enrich/cgroup_names.h"

#include <gtest/gtest.h>

#include "base/fake_root_for_tests.h"
#include "event/wire.h"

namespace sockeye {
namespace {

constexpr uint64_t kStart = 5'000'000'000;
constexpr uint64_t kNobody = 0x7fffffffffff;  // an inode number that no directory has

TEST(CgroupNames, IdOneIsTheRoot) {
  FakeRoot root;
  CgroupNames names(root.path());
  EXPECT_EQ(names.path_of(CGROUP_V2, 1, 0, 0), "/");
  EXPECT_EQ(names.path_of(CGROUP_V1_MEMORY, 1, 0, 0), "/");
}

TEST(CgroupNames, WalksTheRightHierarchy) {
  FakeRoot root;
  root.mount_hybrid();
  root.directory("/sys/fs/cgroup/memory/other/deeper");
  const uint64_t v1 = root.directory("/sys/fs/cgroup/memory/docker/abc");
  const uint64_t v2 = root.directory("/sys/fs/cgroup/unified/system.slice/x.service");
  CgroupNames names(root.path());
  EXPECT_EQ(names.path_of(CGROUP_V1_MEMORY, v1, 0, 0), "/docker/abc");
  EXPECT_EQ(names.path_of(CGROUP_V2, v2, 0, 0), "/system.slice/x.service");
  EXPECT_EQ(names.path_of(CGROUP_V2, v1, 0, 0), std::nullopt);
  EXPECT_EQ(names.path_of(CGROUP_V1_MEMORY, v2, 0, 0), std::nullopt);
  EXPECT_EQ(names.lookups().by_walk, 2u);
  EXPECT_EQ(names.lookups().unnamed, 2u);
  EXPECT_EQ(names.lookups().walks_cut, 0u);
}

TEST(CgroupNames, WalksPureV2) {
  FakeRoot root;
  root.mount_v2();
  const uint64_t id = root.directory("/sys/fs/cgroup/a/b/c/d");
  CgroupNames names(root.path());
  EXPECT_EQ(names.path_of(CGROUP_V2, id, 0, 0), "/a/b/c/d");
  EXPECT_EQ(names.path_of(CGROUP_V1_MEMORY, id, 0, 0), std::nullopt);
}

TEST(CgroupNames, PutsTheRootOfAPartialMountBeforeThePath) {
  FakeRoot root;
  root.mountinfo(root.mount("/docker/1", "/sys/fs/cgroup", "- cgroup2 cgroup rw"));
  const uint64_t top = root.directory("/sys/fs/cgroup");
  const uint64_t inner = root.directory("/sys/fs/cgroup/inner");
  CgroupNames names(root.path());
  EXPECT_EQ(names.path_of(CGROUP_V2, top, 0, 0), "/docker/1");
  EXPECT_EQ(names.path_of(CGROUP_V2, inner, 0, 0), "/docker/1/inner");
}

TEST(CgroupNames, DoesNotFollowLinks) {
  FakeRoot root;
  root.mount_v2();
  const uint64_t outside = root.directory("/elsewhere/deep");
  std::filesystem::create_directory_symlink(root.path() + "/elsewhere", root.path() + "/sys/fs/cgroup/link");
  CgroupNames names(root.path());
  EXPECT_EQ(names.path_of(CGROUP_V2, outside, 0, 0), std::nullopt);
}

TEST(CgroupNames, TheWalkIsBounded) {
  FakeRoot root;
  root.mount_v2();
  for (size_t i = 0; i < 40; ++i) root.directory("/sys/fs/cgroup/" + std::to_string(i));
  const uint64_t id = root.directory("/sys/fs/cgroup/5");
  CgroupNames names(root.path(), 32);
  EXPECT_EQ(names.path_of(CGROUP_V2, kNobody, 0, 0), std::nullopt);
  EXPECT_EQ(names.lookups().walks_cut, 1u);
  EXPECT_EQ(names.path_of(CGROUP_V2, id, 0, 0), std::nullopt) << "nothing is left for this batch";
  EXPECT_EQ(names.lookups().walks_cut, 2u);
  names.begin_batch();
  EXPECT_EQ(names.path_of(CGROUP_V2, id, 0, 0), "/5");
  EXPECT_EQ(names.path_of(CGROUP_V2, kNobody, 0, 0), std::nullopt);
  EXPECT_EQ(names.path_of(CGROUP_V2, id, 0, 0), std::nullopt) << "a batch adds a sixteenth: two directories";
}

TEST(CgroupNames, BelievesTheProcessIfTheCgroupHasThatId) {
  FakeRoot root;
  root.mount_hybrid();
  const uint64_t v1 = root.directory("/sys/fs/cgroup/memory/docker/abc");
  const uint64_t v2 = root.directory("/sys/fs/cgroup/unified/user.slice");
  root.process(42, kStart, "9:name=systemd:/x\n4:cpu,memory:/docker/abc\n0::/user.slice\n");
  CgroupNames names(root.path());
  EXPECT_EQ(names.path_of(CGROUP_V1_MEMORY, v1, 42, kStart), "/docker/abc");
  EXPECT_EQ(names.path_of(CGROUP_V2, v2, 42, 0), "/user.slice") << "the id says that it is the right process";
  EXPECT_EQ(names.lookups().by_process, 2u);
  EXPECT_EQ(names.path_of(CGROUP_V2, v2, 42, kStart * 2), "/user.slice");
  EXPECT_EQ(names.lookups().by_walk, 1u) << "the pid has been reused";
}

TEST(CgroupNames, DoesNotBelieveAProcessThatHasBeenMoved) {
  FakeRoot root;
  root.mount_v2();
  root.directory("/sys/fs/cgroup/now");
  root.process(42, kStart, "0::/now\n");
  CgroupNames names(root.path());
  EXPECT_EQ(names.path_of(CGROUP_V2, kNobody, 42, kStart), std::nullopt);
  root.process(42, kStart, "0::/gone\n");
  EXPECT_EQ(names.path_of(CGROUP_V2, kNobody, 42, kStart), std::nullopt);
}

TEST(CgroupNames, WithoutAMountTheStartTimeHasToAgree) {
  FakeRoot root;
  root.process(42, kStart, "0::/docker/abc\n");
  CgroupNames names(root.path());
  EXPECT_EQ(names.path_of(CGROUP_V2, 77, 42, kStart), "/docker/abc");
  EXPECT_EQ(names.path_of(CGROUP_V2, 77, 42, 0), std::nullopt);
  EXPECT_EQ(names.path_of(CGROUP_V2, 77, 42, kStart * 2), std::nullopt);
  EXPECT_EQ(names.path_of(CGROUP_V2, 77, 0, 0), std::nullopt);
  EXPECT_EQ(names.path_of(CGROUP_V1_MEMORY, 77, 42, kStart), std::nullopt) << "it is in no v1 memory cgroup";
}

TEST(CgroupNames, RefusesIdsAndHierarchiesThatAreNone) {
  FakeRoot root;
  root.mount_v2();
  CgroupNames names(root.path());
  EXPECT_EQ(names.path_of(CGROUP_V2, 0, 0, 0), std::nullopt);
  EXPECT_EQ(names.path_of(7, 77, 0, 0), std::nullopt);
}

TEST(CgroupNames, V1PathOfAProcess) {
  struct Case {
    const char* cgroup;
    std::optional<std::string> path;
  };
  const Case cases[] = {
      {"4:memory:/docker/a\n1:name=systemd:/docker/b\n0::/\n", "/docker/a"},
      {"4:memory:/\n1:name=systemd:/system.slice/sshd.service\n0::/\n", "/system.slice/sshd.service"},
      {"4:memory:/\n3:cpu,cpuacct:/jobs/1\n1:name=systemd:/\n0::/\n", "/jobs/1"},
      {"4:memory:/\n1:name=systemd:/\n0::/v2\n", std::nullopt},
      {"", std::nullopt},
  };
  FakeRoot root;
  for (const Case& c : cases) {
    root.process(42, kStart, c.cgroup);
    CgroupNames names(root.path());
    EXPECT_EQ(names.v1_path_of(42, kStart), c.path) << c.cgroup;
    EXPECT_EQ(names.v1_path_of(42, 0), std::nullopt);
    EXPECT_EQ(names.v1_path_of(42, kStart * 2), std::nullopt);
  }
}

std::string naming(const CgroupNames& names, const std::string& path) {
  const CgroupNaming naming = names.naming_of(CGROUP_V2, path);
  return path.substr(0, naming.given) + "|" + naming.user;
}

TEST(CgroupNaming, WhatRootMadeIsGiven) {
  FakeRoot root;
  root.mount_v2();
  root.directory("/sys/fs/cgroup/a/b/c");
  const CgroupNames names(root.path());
  for (const char* path : {"/", "/a", "/a/b/c"}) EXPECT_EQ(naming(names, path), std::string(path) + "|");
  EXPECT_EQ(naming(names, "/a/b/gone"), "/a/b/gone|") << "only root can have made it";
  EXPECT_EQ(naming(names, "/a/gone/c"), "/a/gone|unknown");
  EXPECT_EQ(naming(names, "/../a"), "|unknown");
  EXPECT_EQ(naming(CgroupNames("/nowhere"), "/a"), "|unknown") << "no hierarchy is mounted";
}

TEST(CgroupNaming, BelowAUsersDirectoryTheUserNames) {
  FakeRoot root;
  root.mount_v2();
  root.directory("/sys/fs/cgroup/slice/user/made/deeper");
  root.directory("/sys/fs/cgroup/slice/user/by-root");
  if (!root.give("/sys/fs/cgroup/slice/user", 1000) || !root.give("/sys/fs/cgroup/slice/user/made", 1000))
    GTEST_SKIP() << "needs root";
  const CgroupNames names(root.path());
  EXPECT_EQ(naming(names, "/slice/user"), "/slice/user|") << "it was root who called it that";
  EXPECT_EQ(naming(names, "/slice/user/made/deeper"), "/slice/user|1000");
  EXPECT_EQ(naming(names, "/slice/user/by-root"), "/slice/user|1000") << "he may have had it made";
  EXPECT_EQ(naming(names, "/slice/user/gone"), "/slice/user|unknown");
}

TEST(CgroupNaming, WhereEverybodyMayMakeThemTheMakerNames) {
  FakeRoot root;
  root.mount_v2();
  root.directory("/sys/fs/cgroup/shared/theirs");
  root.directory("/sys/fs/cgroup/shared/roots");
  std::filesystem::permissions(root.path() + "/sys/fs/cgroup/shared", std::filesystem::perms::all);
  if (!root.give("/sys/fs/cgroup/shared/theirs", 1000)) GTEST_SKIP() << "needs root";
  const CgroupNames names(root.path());
  EXPECT_EQ(naming(names, "/shared/theirs"), "/shared|1000");
  EXPECT_EQ(naming(names, "/shared/roots"), "/shared/roots|");
}

TEST(CgroupNaming, OfAPartialMount) {
  FakeRoot root;
  root.mountinfo(root.mount("/docker/1", "/sys/fs/cgroup", "- cgroup2 cgroup rw"));
  root.directory("/sys/fs/cgroup/inner/deeper");
  if (!root.give("/sys/fs/cgroup/inner", 1000)) GTEST_SKIP() << "needs root";
  const CgroupNames names(root.path());
  EXPECT_EQ(naming(names, "/docker/1/inner/deeper"), "/docker/1/inner|1000");
  EXPECT_EQ(naming(names, "/docker/2"), "|unknown");
}

TEST(ProcCgroupPath, FindsTheLine) {
  const std::string text =
      "12:cpu,cpuacct:/a\n5:memory:/kubepods-pod1.slice:cri-containerd:1\n1:name=systemd:/s\n0::/v2 (deleted)\n";
  EXPECT_EQ(proc_cgroup_path(text, "memory"), "/kubepods-pod1.slice:cri-containerd:1");
  EXPECT_EQ(proc_cgroup_path(text, "cpuacct"), "/a");
  EXPECT_EQ(proc_cgroup_path(text, "name=systemd"), "/s");
  EXPECT_EQ(proc_cgroup_path(text, ""), "/v2");
  EXPECT_EQ(proc_cgroup_path(text, "*"), "/a");
  EXPECT_EQ(proc_cgroup_path(text, "mem"), "");
  EXPECT_EQ(proc_cgroup_path("0::/unended", ""), "/unended");
  for (const char* garbage : {"", "\n", ":", "::", "0::", "0::relative\n", "no colons at all\n"})
    EXPECT_EQ(proc_cgroup_path(garbage, ""), "") << garbage;
}

}  // namespace
}  // namespace sockeye
