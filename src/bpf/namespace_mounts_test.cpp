// SPDX-License-Identifier: Apache-2.0
#include "bpf/namespace_mounts.h"

#include <gtest/gtest.h>

#include "base/fake_root_for_tests.h"

namespace sockeye {
namespace {

using Paths = std::vector<std::string>;

constexpr char kOthers[] =
    "23 1 254:0 / / rw - ext4 /dev/vda rw\n"
    "40 23 0:4 mnt:[4026532300] /run/snapd/ns/a.mnt rw - nsfs nsfs rw\n"
    "41 23 0:28 /net:[4026532301] /mnt/a rw - tmpfs tmpfs rw\n"
    "42 23 0:4 net:[4026532302] rw - nsfs\n"
    "43 23 0:4 net:[4026532303] - nsfs nsfs rw\n"
    "no mount\n";

TEST(NamespaceMounts, AreFoundWhereverTheyAre) {
  const FakeRoot root;
  root.mountinfo(std::string(kOthers) +
                 "50 23 0:4 net:[4026532210] /run/netns/web rw shared:7 - nsfs nsfs rw\n"
                 "51 23 0:4 net:[4026532211] /run/docker/netns/default rw - nsfs nsfs rw\n"
                 "52 23 0:4 net:[4026532212] /run/user/1000/netns/netns-0d2f rw - nsfs nsfs rw\n"
                 "53 23 0:4 net:[4026532213] /tmp/a\\040b\\134c\\012d\\011e rw - nsfs nsfs rw\n"
                 "54 23 0:4 net:[4026532214] /run/cni/cut rw - nsfs");
  EXPECT_EQ(find_namespace_mounts(root.path()),
            (Paths{root.path() + "/run/netns/web", root.path() + "/run/docker/netns/default",
                   root.path() + "/run/user/1000/netns/netns-0d2f", root.path() + "/tmp/a b\\c\nd\te"}));
}

TEST(NamespaceMounts, OfProcessOneAreSeenFromItsRoot) {
  const FakeRoot root;
  const std::string of_first = "60 23 0:4 net:[4026532220] /run/docker/netns/1-a rw - nsfs nsfs rw\n";
  root.mountinfo("50 23 0:4 net:[4026532210] /run/netns/web rw - nsfs nsfs rw\n");
  root.file("/proc/1/mountinfo", of_first);
  root.file("/proc/self/ns/mnt", "");
  const Paths own = {root.path() + "/run/netns/web"};
  EXPECT_EQ(find_namespace_mounts(root.path()), own) << "what process 1 has may not be looked at";

  std::filesystem::create_directories(root.path() + "/proc/1/ns");
  std::filesystem::create_hard_link(root.path() + "/proc/self/ns/mnt", root.path() + "/proc/1/ns/mnt");
  EXPECT_EQ(find_namespace_mounts(root.path()), own) << "it has the same";

  std::filesystem::remove(root.path() + "/proc/1/ns/mnt");
  root.file("/proc/1/ns/mnt", "");
  EXPECT_EQ(find_namespace_mounts(root.path()), (Paths{own[0], root.path() + "/proc/1/root/run/docker/netns/1-a"}));
}

TEST(NamespaceMounts, NoneWhereNothingCanBeRead) {
  const FakeRoot root;
  EXPECT_EQ(find_namespace_mounts(root.path()), Paths());
}

}  // namespace
}  // namespace sockeye
