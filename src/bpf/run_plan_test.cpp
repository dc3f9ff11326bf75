// SPDX-License-Identifier: Apache-2.0
#include "bpf/run_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "bpf/object.h"
#include "event/collector.h"

namespace sockeye {
namespace {

RunPlan plan_with(std::vector<Choice> choices) {
  RunPlan plan;
  plan.settings.has_socket_storage = plan.settings.may_probe_read = plan.settings.wants_entries = 1;
  plan.collectors = {"states"};
  plan.choices = std::move(choices);
  return plan;
}

TEST(RunPlan, OnTheBestMethodsNothingIsLost) {
  const RunPlan plan = plan_with({{"set_state", "tp_btf", {}}, {"syn_sent", "sockops", {}}, {"sent", "tp_btf", {}}});
  EXPECT_TRUE(plan.limitations().empty());
  EXPECT_TRUE(plan.possible());
}

TEST(RunPlan, AHookWithoutAMethodSaysWhatIsLostWhyAndWhatToDo) {
  const RunPlan plan = plan_with({{"set_state", "tp_btf", {}},
                                  {"accepted",
                                   "",
                                   {{"fexit_2", "refused: Operation not permitted", ""},
                                    {"sys_exit", "it slows every system call down", "--accept-owner asks for it"},
                                    {"other", "last", ""}}}});
  const auto list = plan.limitations();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].sentence(),
            "without accepted: an accepted socket has its listener's owner until a process uses it (it slows every "
            "system call down: --accept-owner asks for it)");
  EXPECT_EQ(list[0].remedy, "--accept-owner asks for it");
}

TEST(RunPlan, ALesserMethodSaysWhatItLoses) {
  const auto list = plan_with({{"sent", "fexit", {{"tp_btf", "this kernel has no tracepoint", ""}}}}).limitations();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].sentence(), "sent by fexit: sendfile() is not seen as a use of the socket");
}

TEST(RunPlan, WhatAKernelDoesNotSayOfDroppedPacketsIsTold) {
  RunPlan plan = plan_with({{"dropped", "tp_btf", {}}});
  plan.settings.drop_arguments = 4;
  EXPECT_TRUE(plan.limitations().empty());
  plan.settings.drop_arguments = 3;
  EXPECT_EQ(plan.limitations().size(), 1u);
  plan.settings.drop_arguments = 2;
  const auto list = plan.limitations();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_TRUE(list[0].what.starts_with("this kernel does not say why it drops a packet")) << list[0].what;
  plan.settings.may_probe_read = 0;
  EXPECT_EQ(plan.limitations()[2].remedy, "boot without lockdown=confidentiality");
  plan.choices = {{"set_state", "tp_btf", {}}};
  for (const Limitation& other : plan.limitations()) EXPECT_EQ(other.what.find("drops"), std::string::npos);
}

TEST(RunPlan, AnEventIsMissingWhereEachRunOfAProgramIsOne) {
  RunPlan plan = plan_with({});
  plan.collectors = {"retransmits"};
  EXPECT_TRUE(plan.tells_each_time({"synack_retransmitted", "tp_btf", {}}));
  EXPECT_FALSE(plan.tells_each_time({"destroyed", "tp_btf", {}}));
  EXPECT_FALSE(plan.tells_each_time({"set_state", "tp_btf", {}})) << "of these only owners are wanted";
  plan.collectors = {"connections"};
  EXPECT_FALSE(plan.tells_each_time({"received", "tp_btf", {}})) << "of uses the first is told";
}

TEST(RunPlan, WhatTheKernelLacksAltogetherIsTold) {
  RunPlan plan = plan_with({{"set_state", "tp_btf", {}}});
  plan.settings.has_socket_storage = 0;
  EXPECT_EQ(plan.limitations().size(), 1u);
  plan.entry_table = {65536, true};
  EXPECT_EQ(plan.limitations().size(), 2u);
  plan.settings.may_probe_read = 0;
  const auto list = plan.limitations();
  ASSERT_EQ(list.size(), 3u);
  for (const Limitation& limitation : list) EXPECT_EQ(limitation.sentence(), limitation.what);
  EXPECT_TRUE(list[0].what.starts_with("this kernel's programs allocate no memory for a socket: 65,536"))
      << list[0].what;
  EXPECT_TRUE(list[2].what.starts_with("lockdown=confidentiality: ")) << list[2].what;
  EXPECT_EQ(list[2].remedy, "boot without lockdown=confidentiality");
  plan.is_realtime = true;
  EXPECT_TRUE(
      plan.limitations()[1].what.starts_with("this kernel clones nothing from a listener to its children (PREEMPT_RT: "
                                             "to keep something in a socket may sleep)"));
  plan.ring_may_sleep = true;
  EXPECT_TRUE(plan.limitations()[2].what.starts_with("this real-time kernel (PREEMPT_RT) takes a lock that may sleep"));
  plan.ring_may_sleep = false;
  plan.counts_skips = false;
  EXPECT_TRUE(plan.limitations()[2].what.starts_with("this kernel does not count how often it skips a program"));
  plan.settings.wants_entries = 0;
  EXPECT_TRUE(plan.limitations().empty()) << "what only counts remembers nothing";
}

TEST(RunPlan, NoCollectorWorksWithoutWhatItIsAbout) {
  const RunPlan plan =
      plan_with({{"set_state", "", {{"tp_btf", "this kernel has no tracepoint x", "another kernel"}}}});
  const Status possible = plan.possible();
  ASSERT_FALSE(possible);
  EXPECT_EQ(possible.error().code, ErrorCode::kNotPossible);
  EXPECT_EQ(possible.error().what,
            "states cannot work: no change of a socket's state is seen, this kernel has no tracepoint x");
  EXPECT_EQ(possible.error().hint, "another kernel");
}

TEST(RunPlan, WhatIsForOwnersAloneIsAttachedLast) {
  std::vector<Choice> choices;
  for (const auto& [hook, methods] : Object::ladders()) choices.push_back({hook, methods.front(), {}});
  const auto order_for = [&](std::string_view collector) {
    put_events_first(choices, std::vector{collector});
    std::string order;
    for (const Choice& choice : choices) {
      if (!choice.method.starts_with("iter")) order += choice.hook + " ";
    }
    return order;
  };
  EXPECT_EQ(
      order_for("states"),
      "destroyed process_exits process_freed set_state syn_sent accepted connect_returned cgroup_made "
      "connection_received connection_sent "
      "dropped process_exec received reset_received reset_sent retransmitted sent syn_dropped synack_retransmitted ");
  EXPECT_EQ(order_for("counts").substr(0, 48), "destroyed process_exits process_freed set_state ");
}

TEST(RunPlan, TransitionsThatNobodyIsToldOfArePassedOver) {
  const auto entered = [](std::vector<std::string_view> collectors) { return states_entered(collectors); };
  const StateSet passing = state_set(TCP_CLOSE_WAIT, TCP_FIN_WAIT2, TCP_CLOSING);
  EXPECT_EQ(entered({}) & passing, 0u);
  EXPECT_EQ(entered({"retransmits"}), entered({})) << "of these only owners are wanted";
  EXPECT_EQ(entered({"drops"}), entered({}));
  EXPECT_EQ(entered({"connections"}) & passing, 0u);
  EXPECT_EQ(entered({"connections", "lifetimes"}) & passing, state_set(TCP_CLOSE_WAIT, TCP_FIN_WAIT2));
  EXPECT_EQ(entered({"states"}), kAllStates);
  EXPECT_EQ(entered({"drops", "counts"}), kAllStates);
  for (const int state :
       {TCP_ESTABLISHED, TCP_SYN_SENT, TCP_SYN_RECV, TCP_FIN_WAIT1, TCP_CLOSE, TCP_LAST_ACK, TCP_LISTEN})
    EXPECT_EQ(entered({}) & state_set(state), state_set(state)) << "owners are learned there: " << state;
}

// The table of losses and the object are about the same hooks: none can be added without a sentence for its absence.
TEST(RunPlan, EveryHookSaysWhatIsLostWithoutIt) {
  const auto known = known_hooks();
  for (const Handler& handler : handlers()) {
    EXPECT_EQ(std::count(known.begin(), known.end(), handler.hook), 1) << handler.hook;
  }
  for (const auto& [hook, methods] : Object::ladders()) {
    EXPECT_EQ(std::count(known.begin(), known.end(), hook), 1) << hook;
    EXPECT_EQ(loss_of(hook, methods.front()), "") << hook << " loses something on its best method";
  }
  EXPECT_EQ(known.size(), Object::ladders().size());
}

}  // namespace
}  // namespace sockeye
