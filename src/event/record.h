// SPDX-License-Identifier: Apache-2.0
// A record on its way from the source to the sinks: the bytes, what kind they are, and what was added beside them.
#pragma once

#include <cstring>
#include <vector>

#include "event/context.h"
#include "event/field.h"
#include "event/wire.h"

namespace sockeye {

struct Record {
  const event_header* header;  // the whole record follows it in memory
  const EventType* type;
  const Context* context = nullptr;  // null: nothing known
  bool late = false;                 // records with a later time have already gone out

  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(header); }
};

// Whether the value of `field` is there. `field` is of the record's type.
bool is_present(const Field& field, const Record& record);

// The numeric value of a kUnsigned, kTime, kMicros, kEnum or kFlag field.
uint64_t number_of(const Field& field, const Record& record);

// The entry of a kEnum field's value; null for a value that the table does not know.
const EnumValue* enum_of(const Field& field, const Record& record);

}  // namespace sockeye
