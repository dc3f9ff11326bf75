// SPDX-License-Identifier: Apache-2.0
// An event on its way from the source to the sinks: the bytes, what kind they are, and what was added beside them.
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "event/context.h"
#include "event/field.h"
#include "event/wire.h"

namespace sockeye {

// Of any kind, its header and its lists included: event_header.size is 16 bits. Where a batch may have no room for so
// much it is full.
constexpr size_t kLongestEvent = 65528;

struct Event {
  const event_header* header;  // the whole event follows it in memory
  const EventType* type;
  const Context* context = nullptr;  // null: nothing known
  bool late = false;                 // events with a later time have already gone out
  const InterfaceName* interface =
      nullptr;  // that its link-local addresses are of; null: none, or only its index known

  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(header); }
};

// Its sections; null: it has no such thing.
template <typename Section>
const Section* section_of(const Event& event, uint16_t at) {
  return at == 0 ? nullptr : reinterpret_cast<const Section*>(event.bytes() + at);
}
inline const socket_id* socket_of(const Event& event) {
  return section_of<socket_id>(event, event.type->sections.socket);
}
inline const owner* owner_of(const Event& event) { return section_of<owner>(event, event.type->sections.owner); }

// Whether the value of `field` is there. `field` is of the event's type.
bool is_present(const Field& field, const Event& event);

// Whether there is no such thing: no container, no error, an empty list. A value that is not there and of which this is
// false is not known.
bool is_none(const Field& field, const Event& event);
// Whether that can be at all.
bool may_be_none(const Field& field);

template <typename Integer>
Integer integer_at(const uint8_t* at) {
  Integer value;
  memcpy(&value, at, sizeof value);
  return value;
}

// The numeric value of a kUnsigned, kId, kTime, kMicros, kEnum or kFlag field. Inline, as it is called several times a
// line.
inline uint64_t number_of(const Field& field, const Event& event) {
  const uint8_t* at = event.bytes() + field.offset;
  switch (field.size) {
    case 1: return field.type == FieldType::kFlag ? (*at & field.mask) != 0 : *at;
    case 2: return integer_at<uint16_t>(at);
    case 4: return integer_at<uint32_t>(at);
    default: return integer_at<uint64_t>(at);
  }
}

// The elements of a kList field: each is like an event to its fields.
struct Elements {
  const uint8_t* first = nullptr;  // null: there is no list
  size_t count = 0;
  size_t size = 0;

  Event at(size_t i) const { return {.header = reinterpret_cast<const event_header*>(first + i * size), .type = {}}; }
};

// Looks only into the event's own bytes, whatever it says of its list.
Elements elements_of(const Field& field, const Event& event);

// The entry of a kEnum field's value; null for a value that the table does not know.
inline const EnumValue* enum_of(const Field& field, const Event& event) {
  const uint8_t value = event.bytes()[field.offset];
  if (field.values.empty()) return nullptr;
  const size_t guess = static_cast<uint8_t>(value - field.values.front().value);  // most are numbered without a hole
  if (guess < field.values.size() && field.values[guess].value == value) return &field.values[guess];
  for (const EnumValue& entry : field.values) {
    if (entry.value == value) return &entry;
  }
  return nullptr;
}

}  // namespace sockeye
