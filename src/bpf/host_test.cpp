// SPDX-License-Identifier: Apache-2.0
#include "bpf/host.h"

#include <gtest/gtest.h>

#include <climits>

#include "base/fake_root_for_tests.h"

namespace sockeye {
namespace {

TEST(AreProcessesHidden, WhereProcess1IsNotShown) {
  const FakeRoot root;
  root.directory("/proc/4711");
  EXPECT_TRUE(are_processes_hidden(root.path()));
  root.directory("/proc/1");
  EXPECT_FALSE(are_processes_hidden(root.path()));
}

TEST(CheckProcess, NeedsProc) {
  const FakeRoot root;
  const auto checked = check_process(1, root.path());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kFailed);
  EXPECT_TRUE(checked.error().what.starts_with("/proc cannot be read: ")) << checked.error().what;
  EXPECT_NE(checked.error().hint.find("mount -t proc"), std::string::npos);
}

TEST(CheckProcess, NeedsRoomForFiles) {
  EXPECT_TRUE(check_process(1));
  const auto checked = check_process(INT_MAX);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kFailed);
  EXPECT_TRUE(checked.error().what.starts_with("no room for 2147483647 more open files: ")) << checked.error().what;
  EXPECT_NE(checked.error().hint.find("ulimit -n"), std::string::npos);
}

}  // namespace
}  // namespace sockeye
