// SPDX-License-Identifier: Apache-2.0
// Sweeps the rows that a collector counts in the kernel (bpf/rows.h). It knows what to add up from the field table
// alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "bpf/object.h"
#include "event/collector.h"

namespace sockeye {

// Adds the event `from` to `into`, both of this type: each field as its `fold` says.
void fold_event(const EventType& type, std::byte* into, const std::byte* from);

// The field's value in an event becomes `value`.
void set_number(const Field& field, std::byte* event, uint64_t value);

class RowSweep {
 public:
  // The object is loaded with the collector, and not attached yet; it must outlive this.
  static Result<RowSweep> open(Object& object, const Collector& collector);

  // An event; `is_other`: of all those that there was no room for.
  using Each = std::function<void(const std::byte* row, bool is_other)>;
  // What was counted on this side, which programs have left (Object::change_rows_side()), each row once.
  Status sweep(uint32_t side, const Each& each);

 private:
  struct Side {
    int fd;
    size_t key_size;
    size_t values;  // in an element: one, or one a CPU
  };

  RowSweep(Object& object, const EventType& type) : object_(&object), type_(&type) {}

  Result<Side> side_of(const std::string& map) const;
  Status clear_other(const Side& side);
  Status read(const Side& side, const std::vector<std::byte>& key);
  Error failed(const char* what) const;

  Object* object_;
  const EventType* type_;
  Side sides_[2] = {};
  size_t stride_ = 0;               // bytes of a value in an element
  std::vector<std::byte> element_;  // as read last: its first value holds the sum of all
};

}  // namespace sockeye
