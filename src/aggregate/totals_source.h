// SPDX-License-Identifier: Apache-2.0
// Rows that the kernel side counts, as events: swept each second, added up by connection, process or container, and
// handed out after each interval, or all at the end.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "aggregate/totals.h"
#include "base/clock.h"
#include "enrich/enricher.h"
#include "source/row_sweep.h"
#include "source/source.h"

namespace sockeye {

class TotalsSource : public Source {
 public:
  // The object, loaded with the collector, the clock and the enricher must outlive this. `sweep` is of the first two.
  // Without an interval there are events at the end only.
  TotalsSource(Object& object, RowSweep sweep, const Collector& collector, TotalsBy by,
               std::optional<std::chrono::nanoseconds> interval, const Clock& clock, Enricher& enricher);

  int wake_fd() const override { return -1; }
  bool next(Batch& batch) override;
  Losses losses(bool exact) override { return object_.losses(exact); }
  uint64_t anomalies() const override { return object_.anomalies(); }
  uint64_t without_role() const override { return object_.without_role(); }
  bool ended() const override { return !status_; }
  Status status() const override { return status_; }
  void stop() override;

 private:
  void sweep();
  void take(uint64_t now_ns);

  Object& object_;
  RowSweep sweep_;
  const EventType& type_;
  std::optional<uint64_t> interval_ns_;
  const Clock& clock_;
  Enricher& enricher_;
  Totals totals_;
  std::vector<TotalsGroup> ready_;  // to be handed out, from `handed_out_` on
  size_t handed_out_ = 0;
  uint64_t begun_ns_;  // since when is counted what totals_ holds
  uint64_t swept_ns_;
  bool is_stopping_ = false;
  Status status_ = Ok{};
};

}  // namespace sockeye
