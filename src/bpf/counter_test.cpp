// SPDX-License-Identifier: Apache-2.0
// What subtracts counters, on both sides: the difference, or 0 and one more that did not fit.
#include "base/counter.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>

#include "bpf/counter.h"

namespace sockeye {
namespace {

constexpr uint64_t kNumbers[] = {0,          1,          2,         1000,           UINT32_MAX, 1ull << 32,
                                 1ull << 62, 1ull << 63, INT64_MAX, UINT64_MAX - 1, UINT64_MAX};

TEST(Counter, GoesUpOrIsCounted) {
  for (const uint64_t before : kNumbers) {
    for (const uint64_t now : kNumbers) {
      uint32_t odd = 0;
      const uint64_t anomalies = counter_anomalies();
      const uint64_t wanted = now >= before ? now - before : 0;
      EXPECT_EQ(::counted_between(before, now, &odd), wanted) << before << " to " << now;
      EXPECT_EQ(odd, now < before ? 1u : 0u) << before << " to " << now;
      EXPECT_EQ(counted_between(before, now), wanted) << before << " to " << now;
      EXPECT_EQ(counter_anomalies() - anomalies, now < before ? 1u : 0u) << before << " to " << now;
    }
  }
}

TEST(Counter, MayWrapAround) {
  uint32_t odd = 0;
  EXPECT_EQ(wrapped_between(UINT32_MAX, 4, &odd), 5u);
  EXPECT_EQ(wrapped_between(7, 7, &odd), 0u);
  EXPECT_EQ(wrapped_between(0, INT32_MAX, &odd), static_cast<uint32_t>(INT32_MAX));
  EXPECT_EQ(odd, 0u);
  EXPECT_EQ(wrapped_between(6, 5, &odd), 0u);
  EXPECT_EQ(wrapped_between(4, UINT32_MAX, &odd), 0u);
  EXPECT_EQ(odd, 2u);
}

}  // namespace
}  // namespace sockeye
