// SPDX-License-Identifier: Apache-2.0
#include "enrich/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/fake_root_for_tests.h"
#include "base/read_file.h"

namespace sockeye {
namespace {

constexpr uint64_t kStart = 1'234'567'890'123;
constexpr uint64_t kTick = 10'000'000;

TEST(OpenProcess, TakesTheProcessWhoseStartTimeIsInTheSameTick) {
  FakeRoot root;
  root.process(42, kStart, "0::/x\n");
  auto process = open_process(root.path(), 42, kStart);
  ASSERT_TRUE(process) << process.error().what;
  auto text = read_file(process->get(), "cgroup", 100);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "0::/x\n");
  EXPECT_TRUE(open_process(root.path(), 42, kStart / kTick * kTick));
}

TEST(OpenProcess, RefusesAReusedPid) {
  FakeRoot root;
  root.process(42, kStart, "0::/x\n");
  auto process = open_process(root.path(), 42, kStart - kTick);
  ASSERT_FALSE(process);
  EXPECT_NE(process.error().what.find("has ended"), std::string::npos) << process.error().what;
  EXPECT_FALSE(open_process(root.path(), 42, kStart + kTick));
}

TEST(OpenProcess, DoesNotCompareAnUnknownStartTime) {
  FakeRoot root;
  root.process(42, kStart, "0::/x\n");
  EXPECT_TRUE(open_process(root.path(), 42, 0));
}

TEST(OpenProcess, RefusesWhatIsNotThere) {
  FakeRoot root;
  EXPECT_FALSE(open_process(root.path(), 42, 0));
  EXPECT_FALSE(open_process(root.path(), 42, kStart));
}

TEST(OpenProcess, RefusesAStatItCannotRead) {
  FakeRoot root;
  for (const char* stat : {"", "42", "42 (x) S 1 1", "42 (x", "42 (x) S 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 12x4 3\n",
                           "42 (x) S 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 99999999999999999999999 3\n"}) {
    root.file("/proc/42/stat", stat);
    EXPECT_FALSE(open_process(root.path(), 42, kStart)) << stat;
  }
}

TEST(InnermostPid, IsTheLastOfNSpid) {
  struct Case {
    const char* status;
    uint32_t pid;  // 0: none
  };
  const Case cases[] = {
      {"Name:\tx\nNStgid:\t42\t7\t1\nNSpid:\t42\t7\t1\nNSpgid:\t42\t7\t3\n", 1},
      {"Name:\tx\nNSpid:\t42\nNSpgid:\t9\n", 42},
      {"Name:\tx\nNSpid:\t42\t4194304", 4194304},
      {"Name:\tNSpid:\t7\\n\nNSpid:\t42\t5\n", 5},
      {"Name:\tx\nNSpid:\t42\t99999999999\n", 0},
      {"Name:\tx\nNSpid:\t42\t-1\n", 0},
      {"Name:\tx\nNSpid:\n", 0},
      {"Name:\tx\nTgid:\t42\n", 0},
      {"", 0},
  };
  FakeRoot root;
  root.process(42, kStart, "");
  for (const Case& c : cases) {
    root.file("/proc/42/status", c.status);
    auto pid = innermost_pid(root.path(), 42, kStart);
    ASSERT_EQ(static_cast<bool>(pid), c.pid != 0) << c.status;
    if (pid) {
      EXPECT_EQ(*pid, c.pid) << c.status;
    }
  }
}

TEST(InnermostPid, RefusesAReusedPid) {
  FakeRoot root;
  root.process(42, kStart, "");
  root.file("/proc/42/status", "Name:\tx\nNSpid:\t42\t7\n");
  EXPECT_TRUE(innermost_pid(root.path(), 42, kStart));
  EXPECT_FALSE(innermost_pid(root.path(), 42, kStart + kTick));
}

TEST(InnermostPid, OfThisProcess) {
  auto pid = innermost_pid("", static_cast<uint32_t>(::getpid()), 0);
  ASSERT_TRUE(pid) << pid.error().what;
  EXPECT_EQ(*pid, static_cast<uint32_t>(::getpid()));
}

TEST(ReadFile, StopsAtTheLimit) {
  FakeRoot root;
  root.file("/f", std::string(100'000, 'x'));
  auto all = read_file(-1, root.path() + "/f", 1 << 20);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 100'000u);
  auto some = read_file(-1, root.path() + "/f", 20'000);
  ASSERT_TRUE(some);
  EXPECT_EQ(some->size(), 20'000u);
  EXPECT_FALSE(read_file(-1, root.path() + "/g", 10));
  EXPECT_FALSE(read_file(-1, root.path(), 10)) << "a directory";
}

}  // namespace
}  // namespace sockeye
