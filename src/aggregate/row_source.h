// SPDX-License-Identifier: Apache-2.0
// Rows that the kernel side counts, as events: swept each second, added up by connection, process or container, and
// handed out after each interval, at the end of the run, or both.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "aggregate/totals.h"
#include "enrich/enricher.h"
#include "event/batch.h"
#include "source/row_sweep.h"

namespace sockeye {

// Of a collector with rows: how they are added up, and when they are shown.
struct RowsWanted {
  TotalsBy by = TotalsBy::kConnection;
  std::optional<std::chrono::nanoseconds> interval = {};  // after each of these; each stands alone
  bool totals = true;                                     // of the whole run, at its end
};

class RowSource {
 public:
  // The object, loaded and not attached yet, and the enricher must outlive this.
  RowSource(Object& object, Enricher& enricher, uint64_t now_ns);

  Status add(const Collector& collector, const RowsWanted& wanted);

  // Takes what was counted out of the kernel, once a second.
  void sweep_when_due(uint64_t now_ns);
  // What there is to show now. True: the batch is full and more is waiting.
  bool next(Batch& batch, uint64_t now_ns);
  // Nothing is counted any more: the next batch has what there is.
  void stop() { is_stopping_ = true; }
  // Why not all could be swept.
  const Status& status() const { return status_; }

 private:
  struct Counted {
    RowSweep sweep;
    const EventType* type;
    RowsWanted wanted;
    Totals of_interval, of_run;
    uint64_t begun_ns;  // of the interval
  };

  static bool is_due(const Counted& counted, uint64_t now_ns);
  void sweep(uint64_t now_ns);
  void take(Counted& counted, uint64_t now_ns);
  void take_totals(Totals& totals, const EventType& type, uint64_t now_ns, uint64_t since_ns);

  struct Ready {
    TotalsGroup group;
    const EventType* type;
  };

  Object& object_;
  Enricher& enricher_;
  std::vector<Counted> counted_;
  std::vector<Ready> ready_;  // to be handed out, from `handed_out_` on
  size_t handed_out_ = 0;
  uint64_t begun_ns_;
  uint64_t swept_ns_;
  bool is_stopping_ = false;
  Status status_ = Ok{};
};

}  // namespace sockeye
