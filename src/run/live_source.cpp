// SPDX-License-Identifier: Apache-2.0
#include "run/live_source.h"

namespace sockeye {

Result<std::unique_ptr<LiveSource>> LiveSource::open(Object& object, std::span<const CollectorSpec> collectors,
                                                     Enricher& enricher, const Clock& clock) {
  std::unique_ptr<LiveSource> source(new LiveSource(object, clock));
  for (const CollectorSpec& wanted : collectors) {
    if (wanted.rows) {
      if (!source->rows_) source->rows_.emplace(object, enricher, clock.boot_ns());
      SOCKEYE_TRY(source->rows_->add(*wanted.collector, *wanted.rows));
    } else if (!source->ring_) {
      auto ring = RingSource::open(object);
      if (!ring) return ring.error();
      source->ring_ = std::move(*ring);
    }
  }
  return source;
}

// Rows are of the time before the ring was read: what is in it by then is earlier, and goes out first.
bool LiveSource::next(Batch& batch) {
  const uint64_t now_ns = clock_.boot_ns();
  const bool more = ring_ && ring_->next(batch);
  if (!rows_) return more;
  if (!more) return rows_->next(batch, now_ns);
  rows_->sweep_when_due(now_ns);
  return true;
}

// What is counted when nothing is attached any more is the last of it.
void LiveSource::stop() {
  object_.detach();
  if (rows_) rows_->stop();
}

}  // namespace sockeye
