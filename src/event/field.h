// SPDX-License-Identifier: Apache-2.0
// One description of a field: its name, where it lies in the event, what it means. Text, JSON, the documentation page
// and --help come from it, and a test compares it with the BTF of the compiled kernel side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sockeye {

struct Context;

enum class FieldType : uint8_t {
  kUnsigned,  // 1, 2, 4 or 8 bytes, host order
  kId,        // u64 that uses all its bits, like a hash: in JSON as text, since jq 1.6 and JavaScript round numbers
  kTime,      // u64 CLOCK_BOOTTIME ns, shown as wall time
  kMicros,    // u64 ns, shown as whole microseconds
  kAddress,   // 16 bytes, network order, IPv4 as v4-mapped; link-local ones with the interface of `scope`
  kText,      // char array up to its first NUL, untrusted bytes
  kEnum,      // u8, one of `values`
  kFlag,      // the bits `mask` of a u8, shown as true or false
  kContext,   // not in the event: the member `context` of its Context
  kLate,      // not in the event: whether it came after later ones had gone out
  kList,      // struct wire_list, of elements that have `elements`; not there where the event holds no such list
};

enum class Colour : uint8_t { kNone, kGreen, kYellow, kRed, kBlue, kMagenta, kGrey };

struct EnumValue {
  uint8_t value;
  std::string_view name;   // the field's standard term, in JSON and narrow columns
  std::string_view words;  // for people, in lines
  Colour colour = Colour::kNone;
};

// When a value is there at all. A value that is not there is never shown as a number: in JSON it is null, or its key is
// left out; in text it is `?`, or `-` where there is none, and a line leaves such a word out.
struct Presence {
  enum class When : uint8_t { kAlways, kNonZero, kDiffers, kDiffersAndNonZero, kFlagSet, kFlagClear };
  When when = When::kAlways;
  // kDiffers...: offset of the field of the same size it has to differ from; kFlag... and none_mask: of the flags.
  uint16_t other = 0;
  uint8_t mask = 0;       // kFlag...: the bits
  uint8_t none_mask = 0;  // where one of these bits is set, a value that is not there is none
  bool omit_key = false;  // JSON: the key is left out where the value is not there (else null)
  bool is_none =
      false;  // where the value is not there, there is none, which omit_key says as well; else it is not known
};

// What becomes of the values of a field where several events are added up to one (rows; bpf/rows.h).
enum class Fold : uint8_t {
  kFirst,  // they are alike, or the first stands for all
  kSum,
  kMax,
};

struct Field {
  std::string_view name;  // JSON key
  FieldType type;
  uint16_t offset = 0;
  uint16_t size = 0;
  std::string_view path = {};  // the member as C spells it; empty where it is not in the event
  std::string_view unit = {};
  std::string_view meaning = {};
  Presence presence = {};
  std::span<const EnumValue> values = {};
  uint8_t mask = 0;
  std::string Context::*context = nullptr;
  uint16_t scope = 0;        // kAddress: where in the event the index of its interface is; 0: it has none
  Fold fold = Fold::kFirst;  // kUnsigned and kMicros
  // kList: the fields of an element, offsets from its beginning, none of them kContext, kLate or kList; and an element
  // in lines and columns, a template like EventType::line.
  std::span<const Field> elements = {};
  std::string_view element_line = {};
};

#define SOCKEYE_MEMBER(type, member) \
  .offset = offsetof(type, member), .size = sizeof(static_cast<type*>(nullptr)->member), .path = #member

// A column of the table format.
struct Column {
  std::string_view field;
  std::string_view header;
  uint8_t width;               // of the longest values that get room where there is some; 15 from the start
  uint8_t min_width;           // below which it is not worth showing
  bool right = false;          // aligned to the right
  uint8_t priority = 255;      // where the terminal is too narrow, columns with the smallest `priority` go first
  bool cut_end = false;        // what is too long is cut at its end (ids); else in its middle
  std::string_view port = {};  // of an address: the field whose value follows it
  // A field of the same type that is shown in its place where it is there, and cut in its middle.
  std::string_view prefer = {};
};

// Another look of the same events as text. One that is named after a collector gives them the form of that one's
// lines: they can be shown beside it (`states --with NAME`).
struct View {
  std::string_view name;
  std::string_view line;
  std::span<const Column> columns = {};  // empty: as lines only
};

// Where in an event what it has in common with others begins (wire.h); 0: it has no such thing.
struct Sections {
  uint16_t socket = 0;  // struct socket_id
  uint16_t owner = 0;   // struct owner
  uint16_t task = 0;    // struct task_context
};

// What a sink needs to know of a kind of event.
struct EventType {
  std::string_view name;  // "event" in JSON
  uint16_t kind;
  uint16_t size;  // bytes; a longer event (a newer kernel side) is read as far as known
  Sections sections = {};
  std::span<const Field> common;    // those of its sections
  std::span<const Field> own;       // one that is called like a common one takes its place
  std::span<const Column> columns;  // table format
  std::string_view line;            // line format: text with {field} or {field:words}
  std::span<const View> views = {};
  bool src_opened = false;  // SRC is who opened the connection; else the local end
};

// All fields of a type, in the order in which they are shown.
std::vector<const Field*> fields_of(const EventType& type);

// The field called `name`, own ones first; null where there is none.
const Field* find_field(const EventType& type, std::string_view name);

// The view called `name`; null where there is none.
const View* find_view(const EventType& type, std::string_view name);
// What stands in lines and columns by this view; where the type has no such view, its usual ones.
std::string_view line_in_view(const EventType& type, std::string_view view);
std::span<const Column> columns_in_view(const EventType& type, std::string_view view);

}  // namespace sockeye
