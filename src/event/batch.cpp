// SPDX-License-Identifier: Apache-2.0
#include "event/batch.h"

#include <algorithm>
#include <cstring>

namespace sockeye {

Batch::Batch(size_t bytes) : bytes_(new std::byte[bytes]), capacity_(bytes) {
  records_.reserve(bytes / sizeof(event_header));
}

bool Batch::add(const event_header* header, size_t size, const EventType* type) {
  if (!has_room_for(size)) return false;
  std::byte* at = bytes_.get() + used_;
  memcpy(at, header, size);
  used_ += (size + 7) & ~size_t{7};
  records_.push_back({.header = reinterpret_cast<const event_header*>(at), .type = type});
  return true;
}

void Batch::clear() {
  used_ = 0;
  records_.clear();
}

uint64_t Batch::sort(uint64_t horizon_ns) {
  for (size_t i = 1; i < records_.size(); ++i) {  // insertion: few are out of place, and not far
    const Record record = records_[i];
    size_t j = i;
    for (; j > 0 && records_[j - 1].header->time_ns > record.header->time_ns; --j) records_[j] = records_[j - 1];
    records_[j] = record;
  }
  for (Record& record : records_) {
    if (record.header->time_ns >= horizon_ns) break;
    record.late = true;
  }
  return records_.empty() ? horizon_ns : std::max<uint64_t>(horizon_ns, records_.back().header->time_ns);
}

}  // namespace sockeye
