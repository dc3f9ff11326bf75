// SPDX-License-Identifier: Apache-2.0
#include "base/counter.h"

#include <atomic>

namespace sockeye {
namespace {

std::atomic<uint64_t> anomalies{0};

}  // namespace

uint64_t counted_between(uint64_t before, uint64_t now) {
  if (before <= now) return now - before;
  anomalies.fetch_add(1, std::memory_order_relaxed);
  return 0;
}

uint64_t counter_anomalies() { return anomalies.load(std::memory_order_relaxed); }

}  // namespace sockeye
