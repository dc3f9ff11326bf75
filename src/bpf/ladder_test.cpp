// SPDX-License-Identifier: Apache-2.0
#include "bpf/ladder.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

TEST(ProgramName, IsMomentRungAndTwin) {
  const ProgramName plain = split_program_name("set_state__tp_btf");
  EXPECT_EQ(plain.moment, "set_state");
  EXPECT_EQ(plain.rung, "tp_btf");
  EXPECT_EQ(plain.companion, "");
  const ProgramName twin = split_program_name("set_state__tp_btf__twin");
  EXPECT_EQ(twin.rung, "tp_btf");
  EXPECT_EQ(twin.companion, "twin");
  EXPECT_EQ(split_program_name("stray").rung, "");
}

Result<Ok> all(const std::string&) { return Ok{}; }

TEST(ChooseRungs, TakesTheBestWhateverTheOrderInTheObject) {
  const auto choices =
      choose_rungs({"sent__fexit", "sent__tp_btf", "set_state__tp_btf", "set_state__tp_btf__twin"}, all);
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(choices[0].moment, "sent");
  EXPECT_EQ(choices[0].rung, "tp_btf");
  EXPECT_EQ(choices[1].moment, "set_state");
  EXPECT_TRUE(choices[1].refused.empty());
}

TEST(ChooseRungs, FallsAndSaysWhy) {
  const auto no_tracepoint = [](const std::string& name) -> Result<Ok> {
    if (name == "sent__tp_btf") return Error{ErrorCode::kNotPossible, "no such tracepoint", ""};
    return Ok{};
  };
  const auto choices = choose_rungs({"sent__tp_btf", "sent__fexit"}, no_tracepoint);
  EXPECT_EQ(choices[0].rung, "fexit");
  ASSERT_EQ(choices[0].refused.size(), 1u);
  EXPECT_EQ(choices[0].refused[0].rung, "tp_btf");
  EXPECT_EQ(choices[0].refused[0].why, "no such tracepoint");
}

TEST(ChooseRungs, TriesWhatEverySystemCallPaysForLast) {
  const auto no_trampolines = [](const std::string& name) -> Result<Ok> {
    if (name != "accepted__sys_exit") return Error{ErrorCode::kNotPossible, "no", ""};
    return Ok{};
  };
  const std::vector<std::string> programs = {"accepted__sys_exit", "accepted__fexit_4", "accepted__fexit_2"};
  EXPECT_EQ(choose_rungs(programs, all)[0].rung, "fexit_2");
  EXPECT_EQ(choose_rungs(programs, no_trampolines)[0].rung, "sys_exit");
  EXPECT_EQ(choose_rungs(programs, no_trampolines)[0].refused.size(), 2u);
}

TEST(ChooseRungs, HasNoRungWhereAllAreRefused) {
  const auto none = [](const std::string&) -> Result<Ok> { return Error{ErrorCode::kNotPossible, "no", ""}; };
  const auto choices = choose_rungs({"syn_sent__sockops", "syn_sent__fentry"}, none);
  EXPECT_EQ(choices[0].rung, "");
  EXPECT_EQ(choices[0].refused.size(), 2u);
}

}  // namespace
}  // namespace sockeye
