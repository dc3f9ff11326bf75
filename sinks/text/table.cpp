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

std::string_view gap_before(const Column& column) { return column.before.empty() ? " " : column.before; }

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

Table::Table(const EventType& type, int columns, bool colour) : colour_(colour) {
  choose(type, columns);
}

// All columns at their least width, less those that do not fit, least `keep` first; what is left of the terminal goes
// to those that want more, from left to right.
void Table::choose(const EventType& type, int columns) {
  std::vector<const Column*> chosen;
  int taken = -1;
  for (const Column& column : type.columns) {
    chosen.push_back(&column);
    taken += column.least + static_cast<int>(gap_before(column).size());
  }
  while (columns > 0 && taken > columns) {
    const auto first_to_go =
        std::min_element(chosen.begin(), chosen.end(), [](auto* a, auto* b) { return a->keep < b->keep; });
    if ((*first_to_go)->keep == 255) break;
    taken -= (*first_to_go)->least + static_cast<int>(gap_before(**first_to_go).size());
    chosen.erase(first_to_go);
  }
  int spare = columns > 0 ? std::max(0, columns - taken) : 1000;
  for (const Column* column : chosen) {
    const Field* field = find_field(type, column->field);
    const int more = std::min(spare, column->width - column->least);
    // Without a terminal, columns are as wide as usual values, and longer ones push the rest to the right.
    const int width = columns > 0 ? column->least + more : std::max<int>(column->least, std::min<int>(column->width, 15));
    if (columns > 0) spare -= more;
    cells_.push_back({column, field, cell_writer(*field), width, columns > 0});
  }
}

void Table::add_cell(Buffer& out, const Cell& cell, bool last) {
  const int columns = columns_of(cell_text_.view());
  const size_t padding = static_cast<size_t>(std::max(0, cell.width - columns));
  if (cell.column->right) out.fill(' ', padding);
  if (cell.may_shrink) {
    add_shortened(out, cell_text_.view(), cell.width, cell.column->head);
  } else {
    out.add(cell_text_.view());
  }
  if (!cell.column->right && !last) out.fill(' ', padding);
}

void Table::add_header(Buffer& out) {
  if (colour_) out.add("\033[1m");
  for (const Cell& cell : cells_) {
    if (&cell != &cells_.front()) out.add(gap_before(*cell.column));
    cell_text_.clear();
    cell_text_.add(cell.column->header);
    add_cell(out, cell, &cell == &cells_.back());
  }
  if (colour_) out.add("\033[0m");
  out.add('\n');
}

void Table::add_row(Buffer& out, const Record& record, const WallTime& wall) {
  for (const Cell& cell : cells_) {
    if (&cell != &cells_.front()) out.add(gap_before(*cell.column));
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
