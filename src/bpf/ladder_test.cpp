// SPDX-License-Identifier: Apache-2.0
#include "bpf/ladder.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

TEST(ProgramName, IsHookMethodAndTwin) {
  const ProgramName plain = split_program_name("set_state__tp_btf");
  EXPECT_EQ(plain.hook, "set_state");
  EXPECT_EQ(plain.method, "tp_btf");
  EXPECT_EQ(plain.companion, "");
  const ProgramName twin = split_program_name("set_state__tp_btf__twin");
  EXPECT_EQ(twin.method, "tp_btf");
  EXPECT_EQ(twin.companion, "twin");
  EXPECT_EQ(split_program_name("stray").method, "");
}

Result<Ok> all(const std::string&) { return Ok{}; }

TEST(ChooseMethods, TakesTheBestWhateverTheOrderInTheObject) {
  const auto choices =
      choose_methods({"sent__fexit", "sent__tp_btf", "set_state__tp_btf", "set_state__tp_btf__twin"}, all);
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(choices[0].hook, "sent");
  EXPECT_EQ(choices[0].method, "tp_btf");
  EXPECT_EQ(choices[1].hook, "set_state");
  EXPECT_TRUE(choices[1].refused.empty());
}

TEST(ChooseMethods, FallsAndSaysWhy) {
  const auto no_tracepoint = [](const std::string& name) -> Result<Ok> {
    if (name == "sent__tp_btf") return Error{ErrorCode::kNotPossible, "no such tracepoint", ""};
    return Ok{};
  };
  const auto choices = choose_methods({"sent__tp_btf", "sent__fexit"}, no_tracepoint);
  EXPECT_EQ(choices[0].method, "fexit");
  ASSERT_EQ(choices[0].refused.size(), 1u);
  EXPECT_EQ(choices[0].refused[0].method, "tp_btf");
  EXPECT_EQ(choices[0].refused[0].why, "no such tracepoint");
}

TEST(ChooseMethods, TriesWhatEverySystemCallPaysForLast) {
  const auto no_trampolines = [](const std::string& name) -> Result<Ok> {
    if (name != "accepted__sys_exit") return Error{ErrorCode::kNotPossible, "no", ""};
    return Ok{};
  };
  const std::vector<std::string> programs = {"accepted__sys_exit", "accepted__fexit_4", "accepted__fexit_2"};
  EXPECT_EQ(choose_methods(programs, all)[0].method, "fexit_2");
  EXPECT_EQ(choose_methods(programs, no_trampolines)[0].method, "sys_exit");
  EXPECT_EQ(choose_methods(programs, no_trampolines)[0].refused.size(), 2u);
}

TEST(ChooseMethods, HasNoMethodWhereAllAreRefused) {
  const auto none = [](const std::string&) -> Result<Ok> { return Error{ErrorCode::kNotPossible, "no", ""}; };
  const auto choices = choose_methods({"syn_sent__sockops", "syn_sent__fentry"}, none);
  EXPECT_EQ(choices[0].method, "");
  EXPECT_EQ(choices[0].refused.size(), 2u);
}

}  // namespace
}  // namespace sockeye
