// SPDX-License-Identifier: Apache-2.0
// Whatever is told goes up and then down again, as no counter does: nothing that is made of it is more than what was
// told.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <vector>

#include "aggregate/totals.h"
#include "base/counter.h"
#include "event/collector.h"
#include "event/event.h"
#include "pipeline/gaps.h"
#include "source/row_sweep.h"

namespace sockeye {
namespace {

constexpr uint64_t kTold[] = {1000, 4'000'000'000, 700, 3, 0};

bool is_number(const Field& field) {
  return field.size > 0 && (field.type == FieldType::kUnsigned || field.type == FieldType::kMicros);
}

uint64_t most_of(const Field& field) {
  uint64_t sum = 0, most = 0;
  for (const uint64_t told : kTold) {
    sum += told;
    most = std::max(most, told);
  }
  return field.fold == Fold::kSum ? sum : most;
}

// An event of the type with `told` in each number that fits into it.
std::vector<std::byte> event_of(const EventType& type, uint64_t told) {
  std::vector<std::byte> event(type.size);
  for (const Field& field : type.own) {
    if (is_number(field) && field.size >= 4) set_number(field, event.data(), told);
  }
  event_header header = {.kind = type.kind, .size = type.size, .cpu = 0, .time_ns = 1};
  memcpy(event.data(), &header, sizeof header);
  return event;
}

uint64_t value_in(const Field& field, const std::vector<std::byte>& event) {
  return number_of(field, {.header = reinterpret_cast<const event_header*>(event.data())});
}

TEST(DecreasingCounters, AddUpToNoMoreThanWasTold) {
  for (const Collector* collector : collectors()) {
    const EventType& type = collector->event;
    std::vector<std::byte> sum = event_of(type, kTold[0]);
    for (size_t i = 1; i < std::size(kTold); ++i) fold_event(type, sum.data(), event_of(type, kTold[i]).data());
    for (const Field& field : type.own) {
      if (is_number(field) && field.size >= 4) {
        EXPECT_LE(value_in(field, sum), most_of(field)) << type.name << "." << field.name;
      }
    }
  }
}

TEST(DecreasingCounters, AreTotalsOfNoMoreThanWasTold) {
  for (const Collector* collector : collectors()) {
    if (!collector->has_rows) continue;
    for (const TotalsBy by : {TotalsBy::kConnection, TotalsBy::kProcess, TotalsBy::kContainer}) {
      Totals totals(collector->event, by);
      for (const uint64_t told : kTold) totals.add(event_of(collector->event, told).data(), false, nullptr);
      for (const TotalsGroup& group : totals.take(1, 0)) {
        for (const Field& field : collector->event.own) {
          if (!is_number(field) || field.size < 4) continue;
          EXPECT_LE(value_in(field, group.event), most_of(field)) << collector->event.name << "." << field.name;
        }
      }
    }
  }
}

TEST(DecreasingCounters, AreNoLosses) {
  for (size_t reason = 0; reason < kLossReasons; ++reason) {
    Gaps gaps(0);
    const uint64_t anomalies = counter_anomalies();
    uint64_t told_ns = 0;
    for (const uint64_t told : kTold) {
      Losses losses;
      losses.count[reason] = told;
      gaps.look(losses, ++told_ns);
    }
    EXPECT_EQ(counter_anomalies() - anomalies, 3u) << "three times it was less than before";
    for (; gaps.first(); gaps.pop()) EXPECT_LE(gaps.first()->lost, 4'000'000'000u);
  }
}

}  // namespace
}  // namespace sockeye
