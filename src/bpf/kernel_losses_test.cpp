// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_losses.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

constexpr auto kFull = static_cast<size_t>(LossReason::kRingFull);
constexpr auto kMissed = static_cast<size_t>(LossReason::kMissed);

TEST(KernelLosses, ARiseIsBetweenTheTimesThatProgramsTell) {
  kernel_counters counters = {};
  KernelLosses kernel;
  counters.lost[LOST_RING_FULL] = 2;
  counters.lost_from_ns[LOST_RING_FULL] = 10;
  counters.lost_to_ns[LOST_RING_FULL] = 30;
  kernel.read_counters(counters);
  EXPECT_EQ(kernel.losses().count[kFull], 2u);
  EXPECT_EQ(kernel.losses().from_ns[kFull], 10u);
  EXPECT_EQ(kernel.losses().to_ns[kFull], 30u);
  EXPECT_EQ(counters.lost_from_ns[LOST_RING_FULL], 0u) << "the next one sets it again";
}

TEST(KernelLosses, ACountThatComesBeforeItsTimesHasNone) {
  kernel_counters counters = {};
  KernelLosses kernel;
  counters.lost[LOST_RING_FULL] = 2;
  counters.lost_to_ns[LOST_RING_FULL] = 30;  // of one before
  kernel.read_counters(counters);
  EXPECT_EQ(kernel.losses().count[kFull], 2u);
  EXPECT_EQ(kernel.losses().from_ns[kFull], 0u);
  EXPECT_EQ(kernel.losses().to_ns[kFull], 0u) << "the gap is since the last look";
  counters.lost[LOST_RING_FULL] = 3;
  counters.lost_from_ns[LOST_RING_FULL] = 50;  // its end is still to be seen
  kernel.read_counters(counters);
  EXPECT_EQ(kernel.losses().to_ns[kFull], 0u);
}

TEST(KernelLosses, ASkippedEventCountsUnlessItsTwinHadIt) {
  KernelLosses kernel;
  kernel.read_skips({.with_twin = 5}, 0, 100, false);
  EXPECT_FALSE(kernel.losses().any()) << "twins may be at it";
  kernel.read_skips({.with_twin = 6}, 3, 200, false);
  EXPECT_EQ(kernel.losses()[LossReason::kMissed], 2u);
  EXPECT_EQ(kernel.losses().from_ns[kMissed], 0u);
  EXPECT_EQ(kernel.losses().to_ns[kMissed], 100u);
  kernel.read_skips({.with_twin = 6}, 6, 300, true);
  EXPECT_EQ(kernel.losses()[LossReason::kMissed], 2u) << "what was told is not taken back";
}

TEST(KernelLosses, OfProgramsWithoutATwinEachSkipCounts) {
  KernelLosses kernel;
  kernel.read_skips({.with_twin = 4, .events = 3, .others = 7}, 4, 100, true);
  EXPECT_EQ(kernel.losses()[LossReason::kMissed], 3u);
  EXPECT_EQ(kernel.losses()[LossReason::kSkipped], 7u);
  EXPECT_EQ(kernel.losses().events(), 3u) << "of the others nobody knows whether an event is missing";
  EXPECT_TRUE(kernel.losses().any());
}

}  // namespace
}  // namespace sockeye
