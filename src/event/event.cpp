// SPDX-License-Identifier: Apache-2.0
#include "event/event.h"

#include <algorithm>

namespace sockeye {
namespace {

bool is_zero(const Field& field, const uint8_t* bytes) {
  const uint8_t* at = bytes + field.offset;
  switch (field.size) {
    case 1: return *at == 0;
    case 2: return integer_at<uint16_t>(at) == 0;
    case 4: return integer_at<uint32_t>(at) == 0;
    case 8: return integer_at<uint64_t>(at) == 0;
    default: break;
  }
  return std::all_of(at, at + field.size, [](uint8_t byte) { return byte == 0; });
}

bool differs(const Field& field, const uint8_t* bytes) {
  return memcmp(bytes + field.offset, bytes + field.presence.other, field.size) != 0;
}

bool has_flag(const Presence& presence, const Event& event, uint8_t mask) {
  return (event.bytes()[presence.other] & mask) != 0;
}

}  // namespace

bool is_present(const Field& field, const Event& event) {
  const uint8_t* bytes = event.bytes();
  switch (field.presence.when) {
    case Presence::When::kAlways: break;
    case Presence::When::kNonZero: return !is_zero(field, bytes);
    case Presence::When::kDiffers: return differs(field, bytes);
    case Presence::When::kDiffersAndNonZero: return differs(field, bytes) && !is_zero(field, bytes);
    case Presence::When::kFlagSet: return has_flag(field.presence, event, field.presence.mask);
    case Presence::When::kFlagClear: return !has_flag(field.presence, event, field.presence.mask);
  }
  if (field.type == FieldType::kContext) return event.context != nullptr && !(event.context->*field.context).empty();
  if (field.type == FieldType::kLate) return event.late;
  if (field.type == FieldType::kList) return elements_of(field, event).first != nullptr;
  return true;
}

bool may_be_none(const Field& field) {
  const bool is_list = field.type == FieldType::kList;
  return field.type == FieldType::kContext || field.presence.omit_key || field.presence.is_none || is_list ||
         field.presence.none_mask != 0;
}

bool is_none(const Field& field, const Event& event) {
  const uint8_t mask = field.presence.none_mask;
  if (mask != 0) return has_flag(field.presence, event, mask) && !is_present(field, event);
  if (field.type != FieldType::kList) return may_be_none(field) && !is_present(field, event);
  const auto left_out = integer_at<uint32_t>(event.bytes() + field.offset + offsetof(wire_list, left_out));
  return is_present(field, event) && elements_of(field, event).count == 0 && left_out == 0;
}

Elements elements_of(const Field& field, const Event& event) {
  wire_list list;
  memcpy(&list, event.bytes() + field.offset, sizeof list);
  size_t least = 0;  // of an element that has all fields
  for (const Field& element : field.elements) least = std::max<size_t>(least, element.offset + element.size);
  const bool is_sound = list.at >= event.type->size && list.at % 8 == 0 && list.size % 8 == 0 && list.size >= least &&
                        list.at + size_t{list.count} * list.size <= event.header->size;
  if (!is_sound) return {};
  return {.first = event.bytes() + list.at, .count = list.count, .size = list.size};
}

}  // namespace sockeye
