// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/layout.h"

#include <gtest/gtest.h>

#include <numeric>

namespace sockeye::text {
namespace {

using Widths = std::vector<int>;

int total_of(const Widths& widths) {
  return std::accumulate(widths.begin(), widths.end(), -1, [](int sum, int w) { return sum + (w > 0 ? w + 1 : 0); });
}

// name, address, number, name of less use
std::vector<ColumnWish> wishes() {
  return {{.min_width = 6, .usual = 15, .most = 15},
          {.min_width = 15, .usual = 15, .most = 39, .priority = 200},
          {.min_width = 5, .usual = 7, .most = 7, .firm = true, .priority = 100},
          {.min_width = 10, .usual = 10, .most = 30, .priority = 50}};
}

TEST(Layout, EveryColumnWhereThereIsRoom) {
  EXPECT_EQ(fit_columns(wishes(), 50), (Widths{15, 15, 7, 10}));
  EXPECT_EQ(fit_columns(wishes(), 200), (Widths{15, 15, 7, 10})) << "nothing is wider than its values";
}

TEST(Layout, WhatIsLeftGoesEvenlyToWhatUsualValuesTake) {
  EXPECT_EQ(fit_columns(wishes(), 39), (Widths{6, 15, 5, 10}));
  EXPECT_EQ(fit_columns(wishes(), 43), (Widths{10, 15, 5, 10}));
}

TEST(Layout, TheLeastMissedGoesFirst) {
  EXPECT_EQ(fit_columns(wishes(), 38), (Widths{15, 15, 6, 0}));
  EXPECT_EQ(fit_columns(wishes(), 27), (Widths{11, 15, 0, 0}));
  EXPECT_EQ(fit_columns(wishes(), 21), (Widths{15, 0, 0, 0}));
}

TEST(Layout, AnAddressGetsWhatItNeedsBeforeOthersGetAnything) {
  auto wanted = wishes();
  wanted[1].seen = wanted[1].need = 39;
  EXPECT_EQ(fit_columns(wanted, 63), (Widths{6, 39, 5, 10}));
  EXPECT_EQ(fit_columns(wanted, 62), (Widths{15, 39, 6, 0}));
  EXPECT_EQ(fit_columns(wanted, 46), (Widths{6, 39, 0, 0}));
  wanted[1].priority = 255;
  EXPECT_EQ(fit_columns(wanted, 40), (Widths{6, 33, 0, 0})) << "shortened only where all others are gone";
}

TEST(Layout, ALongNameGetsWhatOthersLeave) {
  auto wanted = wishes();
  wanted[3].seen = 63;
  EXPECT_EQ(fit_columns(wanted, 55), (Widths{15, 15, 7, 15}));
  EXPECT_EQ(fit_columns(wanted, 200), (Widths{15, 15, 7, 30})) << "at most what it may have";
}

TEST(Layout, ANumberIsNeverNarrowerThanItsDigits) {
  auto wanted = wishes();
  wanted[2].need = wanted[2].seen = 10;
  EXPECT_EQ(fit_columns(wanted, 44), (Widths{6, 15, 10, 10}));
  EXPECT_EQ(fit_columns(wanted, 43), (Widths{15, 15, 10, 0}));
}

TEST(Layout, FitsIntoAnyTerminal) {
  auto wanted = wishes();
  for (int seen : {0, 20, 39}) {
    wanted[1].seen = wanted[1].need = wanted[3].seen = seen;
    for (int columns = 15; columns <= 250; ++columns) {
      const Widths widths = fit_columns(wanted, columns);
      EXPECT_LE(total_of(widths), columns) << seen;
      EXPECT_GT(widths[0], 0) << columns;
    }
  }
}

TEST(Layout, WithoutATerminalNothingIsLeftOut) {
  auto wanted = wishes();
  EXPECT_EQ(unbounded_columns(wanted), (Widths{15, 15, 7, 10}));
  wanted[3].seen = 71;
  EXPECT_EQ(unbounded_columns(wanted), (Widths{15, 15, 7, 71}));
}

TEST(Layout, GrowsInFewSteps) {
  EXPECT_EQ(in_steps(3, 10), 10);
  EXPECT_EQ(in_steps(11, 10), 15);
  EXPECT_EQ(in_steps(16, 15), 23);
  EXPECT_EQ(in_steps(23, 15), 23);
  EXPECT_EQ(in_steps(39, 15), 39) << "the longest address";
}

}  // namespace
}  // namespace sockeye::text
