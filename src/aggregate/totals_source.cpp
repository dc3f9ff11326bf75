// SPDX-License-Identifier: Apache-2.0
#include "aggregate/totals_source.h"

#include <utility>

namespace sockeye {
namespace {

constexpr uint64_t kSweepNs = 1'000'000'000;

}  // namespace

TotalsSource::TotalsSource(Object& object, RowSweep sweep, const Collector& collector, TotalsBy by,
                           std::optional<std::chrono::nanoseconds> interval, const Clock& clock, Enricher& enricher)
    : object_(object),
      sweep_(std::move(sweep)),
      type_(collector.event),
      clock_(clock),
      enricher_(enricher),
      totals_(collector.event, by),
      begun_ns_(clock.boot_ns()),
      swept_ns_(begun_ns_) {
  if (interval) interval_ns_ = static_cast<uint64_t>(interval->count());
}

void TotalsSource::sweep() {
  if (!status_) return;
  enricher_.begin_batch();
  status_ = sweep_.sweep([this](const std::byte* row, bool is_other) {
    totals_.add(row, is_other, enricher_.of(reinterpret_cast<const socket_event*>(row)->owner));
  });
}

void TotalsSource::take(uint64_t now_ns) {
  ready_ = totals_.take(now_ns, now_ns - begun_ns_);
  handed_out_ = 0;
  begun_ns_ = now_ns;
}

bool TotalsSource::next(Batch& batch) {
  const uint64_t now_ns = clock_.boot_ns();
  if (handed_out_ == ready_.size()) {
    const bool is_due = interval_ns_ && now_ns - begun_ns_ >= *interval_ns_;
    if (is_due || is_stopping_ || now_ns - swept_ns_ >= kSweepNs) {
      sweep();
      swept_ns_ = now_ns;
    }
    if (is_due || is_stopping_) take(now_ns);
    is_stopping_ = false;
  }
  for (; handed_out_ < ready_.size() && batch.has_room_for(kLongestEvent); ++handed_out_) {
    const TotalsGroup& group = ready_[handed_out_];
    batch.add(reinterpret_cast<const event_header*>(group.event.data()), type_.size, &type_);
    if (group.context) batch.events().back().context = &*group.context;
  }
  return handed_out_ < ready_.size() || is_stopping_;
}

// What is counted when nothing is attached any more is the last of it.
void TotalsSource::stop() {
  object_.detach();
  is_stopping_ = true;
}

}  // namespace sockeye
