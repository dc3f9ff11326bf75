// SPDX-License-Identifier: Apache-2.0
#include "event/record.h"

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

}  // namespace

bool is_present(const Field& field, const Record& record) {
  const uint8_t* bytes = record.bytes();
  switch (field.presence.when) {
    case Presence::When::kAlways: break;
    case Presence::When::kNonZero: return !is_zero(field, bytes);
    case Presence::When::kDiffers: return differs(field, bytes);
    case Presence::When::kDiffersAndNonZero: return differs(field, bytes) && !is_zero(field, bytes);
    case Presence::When::kFlagSet: return (bytes[field.presence.other] & field.presence.mask) != 0;
  }
  if (field.type == FieldType::kContext) return record.context != nullptr && !(record.context->*field.context).empty();
  if (field.type == FieldType::kLate) return record.late;
  return true;
}

}  // namespace sockeye
