// SPDX-License-Identifier: Apache-2.0
// One description of a field: its name, where it lies in the record, what it means. Text, JSON, the documentation page
// and --help come from it, and a test compares it with the BTF of the compiled kernel side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sockeye {

struct Context;

enum class FieldType : uint8_t {
  kUnsigned,  // 1, 2, 4 or 8 bytes, host order
  kTime,      // u64 CLOCK_BOOTTIME ns, shown as wall time
  kMicros,    // u64 ns, shown as whole microseconds
  kAddress,   // 16 bytes, network order, IPv4 as v4-mapped
  kText,      // char array up to its first NUL, untrusted bytes
  kEnum,      // u8, one of `values`
  kFlag,      // the bits `mask` of a u8, shown as true or false
  kContext,   // not in the record: the member `context` of its Context
  kLate,      // not in the record: whether it came after later ones had gone out
};

enum class Colour : uint8_t { kNone, kGreen, kYellow, kRed, kBlue, kMagenta, kGrey };

struct EnumValue {
  uint8_t value;
  std::string_view name;   // the field's standard term, in JSON and narrow columns
  std::string_view words;  // for people, in lines
  Colour colour = Colour::kNone;
};

// When a value is there at all. A value that is not there is never shown as a number: null, or no key, in JSON; `?` in
// text.
struct Presence {
  enum class When : uint8_t { kAlways, kNonZero, kDiffers, kDiffersAndNonZero, kFlagSet };
  When when = When::kAlways;
  uint16_t other =
      0;             // kDiffers...: offset of the field of the same size it has to differ from; kFlagSet: of the flags
  uint8_t mask = 0;  // kFlagSet: the bits
  bool key_goes = false;  // JSON: the key is left out where the value is not there (else null)
};

struct Field {
  std::string_view name;  // JSON key
  FieldType type;
  uint16_t offset = 0;
  uint16_t size = 0;
  std::string_view path = {};  // the member as C spells it; empty where it is not in the record
  std::string_view unit = {};
  std::string_view meaning = {};
  Presence presence = {};
  std::span<const EnumValue> values = {};
  uint8_t mask = 0;
  std::string Context::*context = nullptr;
};

#define SOCKEYE_MEMBER(type, member) \
  .offset = offsetof(type, member), .size = sizeof(static_cast<type*>(nullptr)->member), .path = #member

// A column of the table format.
struct Column {
  std::string_view field;
  std::string_view header;
  uint8_t width;       // of the longest values that get room where there is some; 15 from the start
  uint8_t least;       // below which it is not worth showing
  bool right = false;  // aligned to the right
  uint8_t keep = 255;  // where the terminal is too narrow, columns with the smallest `keep` go first
  bool head = false;   // what is too long is cut at its end (ids); else in its middle
  // A field of the same type that is shown in its place where it is there, and cut in its middle.
  std::string_view rather = {};
};

// What a sink needs to know of a kind of record.
struct EventType {
  std::string_view name;  // "event" in JSON
  uint16_t kind;
  uint16_t size;                  // bytes; a longer record (a newer kernel side) is read as far as known
  std::span<const Field> common;  // of every event of one socket; empty where it is none
  std::span<const Field> own;
  std::span<const Column> columns;  // table format
  std::string_view line;            // line format: text with {field} or {field:words}
};

// The field called `name`, own ones first; null where there is none.
const Field* find_field(const EventType& type, std::string_view name);

}  // namespace sockeye
