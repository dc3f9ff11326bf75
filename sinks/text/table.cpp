// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/table.h"

#include <algorithm>

namespace sockeye::text {
namespace {

// Columns of text that well-formed UTF-8 takes, one a code point: what is wider has been escaped or is rare.
int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// The bytes of the first `columns` code points.
size_t bytes_of(std::string_view text, int columns) {
  size_t at = 0;
  while (at < text.size() && (columns > 0 || (text[at] & 0xc0) == 0x80)) {
    if ((text[at] & 0xc0) != 0x80) --columns;
    ++at;
  }
  return at;
}

std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::kNone: return "";
    case Colour::kGreen: return "\033[32m";
    case Colour::kYellow: return "\033[33m";
    case Colour::kRed: return "\033[31m";
    case Colour::kBlue: return "\033[34m";
    case Colour::kMagenta: return "\033[35m";
    case Colour::kGrey: return "\033[90m";
  }
  return "";
}

// A narrower form of a decimal number: fewer digits behind the point. Digits before it are never cut.
std::string_view fewer_decimals(std::string_view number, int width) {
  const size_t point = number.find('.');
  if (point == std::string_view::npos) return number;
  const size_t least = point, wanted = static_cast<size_t>(width);
  return number.substr(0, wanted > least + 1 ? wanted : least);
}

}  // namespace

int add_shortened(Buffer& out, std::string_view text, int width, bool head_only) {
  const int columns = columns_of(text);
  if (columns <= width) {
    out.add(text);
    return columns;
  }
  if (head_only) {
    out.add(text.substr(0, bytes_of(text, width)));
    return width;
  }
  const int head = (width - 1) / 2, tail = width - 1 - head;
  out.add(text.substr(0, bytes_of(text, head)));
  out.add('~');
  out.add(text.substr(bytes_of(text, columns - tail)));
  return width;
}

Table::Table(const EventType& type, int columns, bool colour) : colour_(colour) { choose(type, columns); }

// All columns at their least width, less those that do not fit, least `keep` first; what is left of the terminal goes
// to those that want more, evenly.
void Table::choose(const EventType& type, int columns) {
  std::vector<const Column*> chosen;
  int taken = -1;
  for (const Column& column : type.columns) {
    chosen.push_back(&column);
    taken += column.least + 1;
  }
  while (columns > 0 && taken > columns) {
    const auto first_to_go =
        std::min_element(chosen.begin(), chosen.end(), [](auto* a, auto* b) { return a->keep < b->keep; });
    if ((*first_to_go)->keep == 255) break;
    taken -= (*first_to_go)->least + 1;
    chosen.erase(first_to_go);
  }
  for (const Column* column : chosen) {
    const Field* field = find_field(type, column->field);
    // Without a terminal, columns are as wide as usual values, and longer ones push the rest to the right.
    const int width = columns > 0 ? column->least : std::max<int>(column->least, std::min<int>(column->width, 15));
    cells_.push_back({column, field, cell_writer(*field), width, columns > 0});
  }
  bool someone_wants_more = columns > 0;
  for (int spare = columns - taken; someone_wants_more && spare > 0;) {
    someone_wants_more = false;
    for (Cell& cell : cells_) {
      if (cell.width >= cell.column->width || spare == 0) continue;
      ++cell.width;
      --spare;
      someone_wants_more = true;
    }
  }
}

void Table::add_cell(Buffer& out, const Cell& cell, bool last) {
  std::string_view text = cell_text_.view();
  const bool is_too_long = cell.may_shrink && columns_of(text) > cell.width;
  const bool is_number = cell.field->type == FieldType::kMicros || cell.field->type == FieldType::kUnsigned;
  if (is_too_long && is_number) text = fewer_decimals(text, cell.width);
  const size_t padding = static_cast<size_t>(std::max(0, cell.width - columns_of(text)));
  if (cell.column->right) out.fill(' ', padding);
  if (is_too_long && !is_number) {
    add_shortened(out, text, cell.width, cell.column->head);
  } else {
    out.add(text);
  }
  if (!cell.column->right && !last) out.fill(' ', padding);
}

void Table::add_header(Buffer& out) {
  if (colour_) out.add("\033[1m");
  for (const Cell& cell : cells_) {
    if (&cell != &cells_.front()) out.add(' ');
    cell_text_.clear();
    cell_text_.add(cell.column->header);
    add_cell(out, cell, &cell == &cells_.back());
  }
  if (colour_) out.add("\033[0m");
  out.add('\n');
}

void Table::add_row(Buffer& out, const Record& record, const WallTime& wall) {
  for (const Cell& cell : cells_) {
    if (&cell != &cells_.front()) out.add(' ');
    cell_text_.clear();
    cell.write(cell_text_, *cell.field, record, wall);
    const EnumValue* value = colour_ && cell.field->type == FieldType::kEnum ? enum_of(*cell.field, record) : nullptr;
    const std::string_view escape = value ? escape_of(value->colour) : "";
    out.add(escape);
    add_cell(out, cell, &cell == &cells_.back());
    if (!escape.empty()) out.add("\033[0m");
  }
  out.add('\n');
}

}  // namespace sockeye::text
