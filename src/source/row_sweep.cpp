// SPDX-License-Identifier: Apache-2.0
#include "source/row_sweep.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace sockeye {
namespace {

constexpr size_t in_words(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

bool is_per_cpu(uint32_t map_type) {
  return map_type == BPF_MAP_TYPE_PERCPU_HASH || map_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

uint64_t number_at(const Field& field, const std::byte* event) {
  uint64_t value = 0;  // little endian, as the kernel side is
  memcpy(&value, event + field.offset, std::min<size_t>(field.size, sizeof value));
  return value;
}

bool is_used(const std::byte* event) { return reinterpret_cast<const event_header*>(event)->kind != 0; }

}  // namespace

void set_number(const Field& field, std::byte* event, uint64_t value) {
  memcpy(event + field.offset, &value, std::min<size_t>(field.size, sizeof value));
}

void fold_event(const EventType& type, std::byte* into, const std::byte* from) {
  for (const Field& field : type.own) {
    if (field.fold == Fold::kFirst) continue;
    const uint64_t a = number_at(field, into), b = number_at(field, from);
    set_number(field, into, field.fold == Fold::kSum ? a + b : std::max(a, b));
  }
}

Result<RowSweep> RowSweep::open(Object& object, const Collector& collector) {
  RowSweep sweep(object, collector.event);
  sweep.stride_ = in_words(collector.event.size);
  for (const uint32_t number : {0u, 1u}) {
    auto side = sweep.side_of(std::string(collector.event.name) + "_rows_" + std::to_string(number));
    if (!side) return side.error();
    sweep.sides_[number] = *side;
    SOCKEYE_TRY(sweep.clear_other(*side));
  }
  return sweep;
}

Error RowSweep::failed(const char* what) const {
  return {ErrorCode::kFailed,
          "the rows of " + std::string(type_->name) + " cannot be " + what + ": " + errno_text(errno), ""};
}

Result<RowSweep::Side> RowSweep::side_of(const std::string& map) const {
  bpf_map_info info = {};
  __u32 size = sizeof info;
  const int fd = object_->map_fd(map.c_str());
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return failed("found");
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 1) return failed("read");
  return Side{fd, info.key_size, is_per_cpu(info.type) ? static_cast<size_t>(cpus) : 1};
}

// Puts the row there that takes what there is no room for.
Status RowSweep::clear_other(const Side& side) {
  const std::vector<std::byte> key(side.key_size);
  element_.assign(side.values * stride_, std::byte{0});
  for (size_t i = 0; i < side.values; ++i) {
    auto* header = reinterpret_cast<event_header*>(element_.data() + i * stride_);
    header->kind = type_->kind;
    header->size = type_->size;
  }
  if (bpf_map_update_elem(side.fd, key.data(), element_.data(), BPF_ANY) != 0) return failed("begun");
  return Ok{};
}

// One element, into the first value of element_: what all CPUs have counted. An element that no CPU has used stays
// unused.
Status RowSweep::read(const Side& side, const std::vector<std::byte>& key) {
  element_.resize(side.values * stride_);
  if (bpf_map_lookup_elem(side.fd, key.data(), element_.data()) != 0) return failed("read");
  std::byte* sum = element_.data();
  for (size_t i = 1; i < side.values; ++i) {
    const std::byte* value = element_.data() + i * stride_;
    if (!is_used(value)) continue;
    if (is_used(sum))
      fold_event(*type_, sum, value);
    else
      memcpy(sum, value, stride_);
  }
  return Ok{};
}

Status RowSweep::sweep(uint32_t number, const Each& each) {
  const Side& side = sides_[number];
  const std::vector<std::byte> other(side.key_size);
  std::vector<std::byte> key(side.key_size), next(side.key_size);
  bool more = bpf_map_get_next_key(side.fd, nullptr, key.data()) == 0;
  while (more) {
    more = bpf_map_get_next_key(side.fd, key.data(), next.data()) == 0;
    if (key != other) {
      SOCKEYE_TRY(read(side, key));
      if (is_used(element_.data())) each(element_.data(), false);
      if (bpf_map_delete_elem(side.fd, key.data()) != 0) return failed("deleted");
    }
    key.swap(next);
  }
  SOCKEYE_TRY(read(side, other));
  const std::byte* event = element_.data();
  const bool has_any = std::any_of(type_->own.begin(), type_->own.end(), [event](const Field& field) {
    return field.fold == Fold::kSum && number_at(field, event) != 0;
  });
  if (has_any) each(event, true);
  return clear_other(side);
}

}  // namespace sockeye
