// SPDX-License-Identifier: Apache-2.0
#include "event/record.h"

namespace sockeye {
namespace {

template <typename Integer>
Integer read(const uint8_t* at) {
  Integer value;
  memcpy(&value, at, sizeof value);
  return value;
}

// Of a field of at most 16 bytes.
bool is_zero(const Field& field, const uint8_t* bytes) {
  static constexpr uint8_t kZero[16] = {};
  return memcmp(bytes + field.offset, kZero, field.size) == 0;
}

bool differs(const Field& field, const uint8_t* bytes) {
  return memcmp(bytes + field.offset, bytes + field.presence.other, field.size) != 0;
}

}  // namespace

uint64_t number_of(const Field& field, const Record& record) {
  const uint8_t* at = record.bytes() + field.offset;
  switch (field.size) {
    case 1: return field.type == FieldType::kFlag ? (*at & field.mask) != 0 : *at;
    case 2: return read<uint16_t>(at);
    case 4: return read<uint32_t>(at);
    default: return read<uint64_t>(at);
  }
}

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

const EnumValue* enum_of(const Field& field, const Record& record) {
  const uint8_t value = record.bytes()[field.offset];
  for (const EnumValue& entry : field.values) {
    if (entry.value == value) return &entry;
  }
  return nullptr;
}

}  // namespace sockeye
