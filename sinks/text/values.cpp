// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/values.h"

#include "base/text.h"
#include "sinks/text/times.h"

namespace sockeye::text {
namespace {

void write_number(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  out.add_number(number_of(field, record));
}

void write_line_time(Buffer& out, const Field& field, const Record& record, const WallTime& wall) {
  thread_local SecondText text("%b %d %Y %H:%M:%S");
  text.add(out, wall.of(number_of(field, record)));
}

void write_micros(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  out.add_number(to_microseconds(number_of(field, record)));
}

// Milliseconds with three decimals, as tcpstates prints them.
void write_millis(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  const uint64_t micros = to_microseconds(number_of(field, record));
  out.add_number(micros / 1000);
  out.add('.');
  add_padded(out, micros % 1000, 3);
}

void write_address(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  add_address(out, record.bytes() + field.offset);
}

void write_bracketed_address(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  const uint8_t* address = record.bytes() + field.offset;
  const bool brackets = !is_mapped_ipv4(address);
  if (brackets) out.add('[');
  add_address(out, address);
  if (brackets) out.add(']');
}

std::string_view text_of_field(const Field& field, const Record& record) {
  if (field.type == FieldType::kContext) return record.context->*field.context;
  return text_of(reinterpret_cast<const char*>(record.bytes() + field.offset), field.size);
}

void write_line_text(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  add_plain(out, text_of_field(field, record));
}

void write_cell_text(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  add_plain_spaced(out, text_of_field(field, record));
}

void write_name(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  if (const EnumValue* value = enum_of(field, record)) {
    out.add(value->name);
  } else {
    out.add_number(number_of(field, record));
  }
}

void write_words(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  if (const EnumValue* value = enum_of(field, record)) {
    out.add(value->words);
  } else {
    out.add_number(number_of(field, record));
  }
}

void write_flag(Buffer& out, const Field& field, const Record& record, const WallTime&) {
  out.add(number_of(field, record) != 0 ? "yes" : "no");
}

void write_late(Buffer& out, const Field&, const Record&, const WallTime&) { out.add("yes"); }

// In the place of a value that is not there: kNone where that says there is none, else kUnknown.
template <Writer write>
void if_present(Buffer& out, const Field& field, const Record& record, const WallTime& wall) {
  if (is_present(field, record)) {
    write(out, field, record, wall);
  } else {
    out.add(field.type == FieldType::kContext || field.presence.key_goes ? kNone : kUnknown);
  }
}

}  // namespace

Writer line_writer(const Field& field, bool words) {
  switch (field.type) {
    case FieldType::kUnsigned: return if_present<write_number>;
    case FieldType::kTime: return write_line_time;
    case FieldType::kMicros: return if_present<write_micros>;
    case FieldType::kAddress: return if_present<write_bracketed_address>;
    case FieldType::kText:
    case FieldType::kContext: return if_present<write_line_text>;
    case FieldType::kEnum: return words ? write_words : if_present<write_name>;
    case FieldType::kFlag: return write_flag;
    case FieldType::kLate: return if_present<write_late>;
  }
  return nullptr;
}

Writer cell_writer(const Field& field) {
  switch (field.type) {
    case FieldType::kMicros: return if_present<write_millis>;
    case FieldType::kAddress: return if_present<write_address>;
    case FieldType::kText:
    case FieldType::kContext: return if_present<write_cell_text>;
    default: return line_writer(field, false);
  }
}

}  // namespace sockeye::text
