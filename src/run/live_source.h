// SPDX-License-Identifier: Apache-2.0
// All that one object tells: events out of its ring, and rows that it counts, in one order of time.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "aggregate/row_source.h"
#include "base/clock.h"
#include "run/run_spec.h"
#include "source/ring_source.h"

namespace sockeye {

class LiveSource : public Source {
 public:
  // The object, loaded and not attached yet, the enricher and the clock must outlive this.
  static Result<std::unique_ptr<LiveSource>> open(Object& object, std::span<const CollectorSpec> collectors,
                                                  Enricher& enricher, const Clock& clock);

  int wake_fd() const override { return ring_ ? ring_->wake_fd() : -1; }
  bool next(Batch& batch) override;
  bool ended() const override { return !status(); }
  Losses losses(bool exact) override { return ring_ ? ring_->losses(exact) : object_.losses(exact); }
  uint64_t table_full() const override { return ring_ ? ring_->table_full() : 0; }
  uint64_t anomalies() const override { return object_.anomalies(); }
  uint64_t without_role() const override { return object_.without_role(); }
  Status status() const override { return rows_ ? rows_->status() : Ok{}; }
  void stop() override;

 private:
  LiveSource(Object& object, const Clock& clock) : object_(object), clock_(clock) {}

  Object& object_;
  const Clock& clock_;
  std::unique_ptr<RingSource> ring_;  // null: only rows are wanted
  std::optional<RowSource> rows_;     // none: no rows are wanted
};

}  // namespace sockeye
