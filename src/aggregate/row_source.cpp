// SPDX-License-Identifier: Apache-2.0
#include "aggregate/row_source.h"

#include <algorithm>
#include <utility>

namespace sockeye {
namespace {

constexpr uint64_t kSweepNs = 1'000'000'000;

}  // namespace

RowSource::RowSource(Object& object, Enricher& enricher, uint64_t now_ns)
    : object_(object), enricher_(enricher), begun_ns_(now_ns), swept_ns_(now_ns) {}

Status RowSource::add(const Collector& collector, const RowsWanted& wanted) {
  auto sweep = RowSweep::open(object_, collector);
  if (!sweep) return sweep.error();
  counted_.push_back({.sweep = std::move(*sweep),
                      .type = &collector.event,
                      .wanted = wanted,
                      .of_interval = Totals(collector.event, wanted.by),
                      .of_run = Totals(collector.event, wanted.by),
                      .begun_ns = begun_ns_});
  return Ok{};
}

// All of them at once, as they change sides together.
void RowSource::sweep(uint64_t now_ns) {
  swept_ns_ = now_ns;
  if (!status_) return;
  enricher_.begin_batch();
  const uint32_t side = object_.change_rows_side();
  for (Counted& counted : counted_) {
    const auto add = [&](const std::byte* row, bool is_other) {
      const Context* context = enricher_.of(reinterpret_cast<const socket_event*>(row)->owner);
      if (counted.wanted.interval) counted.of_interval.add(row, is_other, context);
      if (counted.wanted.totals) counted.of_run.add(row, is_other, context);
    };
    status_ = counted.sweep.sweep(side, add);
    if (!status_) return;
  }
}

void RowSource::sweep_when_due(uint64_t now_ns) {
  if (now_ns - swept_ns_ >= kSweepNs) sweep(now_ns);
}

bool RowSource::is_due(const Counted& counted, uint64_t now_ns) {
  if (!counted.wanted.interval) return false;
  return now_ns - counted.begun_ns >= static_cast<uint64_t>(counted.wanted.interval->count());
}

void RowSource::take_totals(Totals& totals, const EventType& type, uint64_t now_ns, uint64_t since_ns) {
  for (TotalsGroup& group : totals.take(now_ns, now_ns - since_ns)) ready_.push_back({std::move(group), &type});
}

void RowSource::take(Counted& counted, uint64_t now_ns) {
  if (counted.wanted.interval && (is_stopping_ || is_due(counted, now_ns))) {
    take_totals(counted.of_interval, *counted.type, now_ns, counted.begun_ns);
    counted.begun_ns = now_ns;
  }
  if (is_stopping_ && counted.wanted.totals) take_totals(counted.of_run, *counted.type, now_ns, begun_ns_);
}

bool RowSource::next(Batch& batch, uint64_t now_ns) {
  if (handed_out_ == ready_.size()) {
    ready_.clear();
    handed_out_ = 0;
    if (is_stopping_ ||
        std::any_of(counted_.begin(), counted_.end(), [now_ns](auto& each) { return is_due(each, now_ns); })) {
      sweep(now_ns);
      for (Counted& counted : counted_) take(counted, now_ns);
    } else {
      sweep_when_due(now_ns);
    }
    is_stopping_ = false;
  }
  for (; handed_out_ < ready_.size() && batch.has_room_for(kLongestEvent); ++handed_out_) {
    const auto& [group, type] = ready_[handed_out_];
    batch.add(reinterpret_cast<const event_header*>(group.event.data()), type->size, type);
    if (group.context) batch.events().back().context = &*group.context;
  }
  return handed_out_ < ready_.size() || is_stopping_;
}

}  // namespace sockeye
