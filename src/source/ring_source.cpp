// SPDX-License-Identifier: Apache-2.0
#include "source/ring_source.h"

#include <bpf/libbpf.h>

#include <cerrno>

#include "event/collector.h"

namespace sockeye {
namespace {

constexpr int kStop = -ENOBUFS;

}  // namespace

void RingSource::RingDeleter::operator()(ring_buffer* p) const { ring_buffer__free(p); }

Result<std::unique_ptr<RingSource>> RingSource::open(Object& object) {
  std::unique_ptr<RingSource> source(new RingSource(object));
  source->ring_.reset(ring_buffer__new(object.ring_fd(), on_sample, source.get(), nullptr));
  if (!source->ring_) {
    return Error{ErrorCode::kFailed, "the ring buffer cannot be mapped: " + errno_text(errno),
                 "try a smaller --ring-size"};
  }
  return source;
}

int RingSource::wake_fd() const { return object_.ring_fd(); }

bool RingSource::next(Batch& batch) {
  batch_ = &batch;
  const int result = ring_buffer__consume(ring_.get());
  batch_ = nullptr;
  return result == kStop;
}

// A negative result ends the reading after this sample.
int RingSource::on_sample(void* self, void* data, size_t size) {
  RingSource& source = *static_cast<RingSource*>(self);
  const auto* header = static_cast<const event_header*>(data);
  const EventType* type = size >= sizeof *header ? source.type_of(*header, size) : nullptr;
  if (!type || !source.batch_->add(header, size, type)) {
    ++source.malformed_;
    return 0;
  }
  return source.batch_->has_room_for(kLongestEvent) ? 0 : kStop;
}

const EventType* RingSource::type_of(const event_header& header, size_t size) {
  if (!last_type_ || last_type_->kind != header.kind) last_type_ = find_event_type(header.kind);
  return last_type_ && size >= last_type_->size && header.size <= size ? last_type_ : nullptr;
}

Losses RingSource::losses(bool exact) {
  Losses losses = object_.losses(exact);
  losses[LossReason::kMalformed] = malformed_;
  return losses;
}

uint64_t RingSource::table_full() const { return __atomic_load_n(&object_.counters().table_full, __ATOMIC_RELAXED); }

}  // namespace sockeye
