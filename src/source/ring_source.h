// SPDX-License-Identifier: Apache-2.0
// The live source: events out of the kernel's ring. It does not own the object.
#pragma once

#include <memory>

#include "bpf/object.h"
#include "source/source.h"

struct ring_buffer;

namespace sockeye {

class RingSource : public Source {
 public:
  static Result<std::unique_ptr<RingSource>> open(Object& object);

  int wake_fd() const override;
  bool next(Batch& batch) override;
  Losses losses(bool exact) override;
  uint64_t table_full() const override;
  uint64_t anomalies() const override { return object_.anomalies(); }
  uint64_t without_role() const override { return object_.without_role(); }
  void stop() override { object_.detach(); }

 private:
  explicit RingSource(Object& object) : object_(object) {}

  static int on_sample(void* self, void* data, size_t size);
  const EventType* type_of(const event_header& header, size_t size);

  struct RingDeleter {
    void operator()(ring_buffer* p) const;
  };

  Object& object_;
  std::unique_ptr<ring_buffer, RingDeleter> ring_;
  Batch* batch_ = nullptr;                // being filled
  const EventType* last_type_ = nullptr;  // most events are of the kind of the one before
  uint64_t malformed_ = 0;
};

}  // namespace sockeye
