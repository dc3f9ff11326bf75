// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/values.h"

#include <algorithm>

#include "base/text.h"
#include "event/shown_address.h"
#include "sinks/text/times.h"

namespace sockeye::text {
namespace {

void write_number(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add_number(number_of(field, event));
}

void write_line_time(Buffer& out, const Field& field, const Event& event, const WallTime& wall) {
  thread_local SecondText text("%b %d %Y %H:%M:%S");
  text.add(out, wall.of(number_of(field, event)));
}

void write_micros(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add_number(to_microseconds(number_of(field, event)));
}

// Milliseconds with three decimals, as tcpstates prints them.
void write_millis(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  const uint64_t micros = to_microseconds(number_of(field, event));
  out.add_number(micros / 1000);
  out.add('.');
  add_padded(out, micros % 1000, 3);
}

void write_address(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  add_shown_address(out, field, event, add_plain);
}

void write_bracketed_address(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  const uint8_t* address = event.bytes() + field.offset;
  const bool brackets = !is_mapped_ipv4(address);
  if (brackets) out.add('[');
  add_shown_address(out, field, event, add_plain);
  if (brackets) out.add(']');
}

std::string_view text_of_field(const Field& field, const Event& event) {
  if (field.type == FieldType::kContext) return event.context->*field.context;
  return text_of(reinterpret_cast<const char*>(event.bytes() + field.offset), field.size);
}

void write_line_text(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  add_plain(out, text_of_field(field, event));
}

void write_cell_text(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  add_plain_spaced(out, text_of_field(field, event));
}

void write_name(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  if (const EnumValue* value = enum_of(field, event)) {
    out.add(value->name);
  } else {
    out.add_number(number_of(field, event));
  }
}

void write_words(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  if (const EnumValue* value = enum_of(field, event)) {
    out.add(value->words);
  } else {
    out.add_number(number_of(field, event));
  }
}

void write_flag(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add(number_of(field, event) != 0 ? "yes" : "no");
}

void write_late(Buffer& out, const Field&, const Event&, const WallTime&) { out.add("yes"); }

const Field* field_called(std::span<const Field> fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

void write_element(Buffer& out, const Field& list, const Event& element, const WallTime& wall) {
  std::string_view rest = list.element_line;
  for (size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    const size_t close = rest.find('}', open);
    out.add(rest.substr(0, open));
    const Field* field = field_called(list.elements, rest.substr(open + 1, close - open - 1));
    if (field) line_writer(*field, false)(out, *field, element, wall);
    rest.remove_prefix(close + 1);
  }
  out.add(rest);
}

// Neighbours that read alike once; how many found no room, behind a plus.
void write_list(Buffer& out, const Field& field, const Event& event, const WallTime& wall) {
  const Elements elements = elements_of(field, event);
  size_t last_at = 0, last_size = 0;
  for (size_t i = 0; i < elements.count; ++i) {
    const size_t end = out.size();
    if (i > 0) out.add(',');
    const size_t begin = out.size();
    write_element(out, field, elements.at(i), wall);
    const std::string_view text = out.view();
    if (last_size > 0 && text.substr(begin) == text.substr(last_at, last_size)) {
      out.truncate(end);
    } else {
      last_at = begin;
      last_size = out.size() - begin;
    }
  }
  const auto left_out = integer_at<uint32_t>(event.bytes() + field.offset + offsetof(wire_list, left_out));
  if (left_out > 0) {
    out.add(elements.count > 0 ? ",+" : "+");
    out.add_number(left_out);
  } else if (elements.count == 0) {
    out.add(kNone);
  }
}

// In the place of a value that is not there: kNone where there is none, else kUnknown.
template <Writer write>
void if_present(Buffer& out, const Field& field, const Event& event, const WallTime& wall) {
  if (is_present(field, event)) {
    write(out, field, event, wall);
  } else {
    out.add(is_none(field, event) ? kNone : kUnknown);
  }
}

}  // namespace

Writer line_writer(const Field& field, bool words) {
  switch (field.type) {
    case FieldType::kUnsigned:
    case FieldType::kId: return if_present<write_number>;
    case FieldType::kTime: return write_line_time;
    case FieldType::kMicros: return if_present<write_micros>;
    case FieldType::kAddress: return if_present<write_bracketed_address>;
    case FieldType::kText:
    case FieldType::kContext: return if_present<write_line_text>;
    case FieldType::kEnum: return words ? write_words : if_present<write_name>;
    case FieldType::kFlag: return write_flag;
    case FieldType::kLate: return if_present<write_late>;
    case FieldType::kList: return if_present<write_list>;
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
