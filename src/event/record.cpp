// SPDX-License-Identifier: Apache-2.0
#include "event/record.h"

namespace sockeye {
namespace {

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
  uint64_t value = 0;
  memcpy(&value, at, field.size);  // little endian, as every machine that BPF objects here are built for
  return field.type == FieldType::kFlag ? (value & field.mask) != 0 : value;
}

bool is_present(const Field& field, const Record& record) {
  const uint8_t* bytes = record.bytes();
  switch (field.presence.when) {
    case Presence::When::kAlways:
      break;
    case Presence::When::kNonZero:
      return !is_zero(field, bytes);
    case Presence::When::kDiffers:
      return differs(field, bytes);
    case Presence::When::kDiffersAndNonZero:
      return differs(field, bytes) && !is_zero(field, bytes);
    case Presence::When::kFlagSet:
      return (bytes[field.presence.other] & field.presence.mask) != 0;
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
