// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/table.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/columns.h"
#include "event/wire.h"

namespace sockeye::text {
namespace {

constexpr std::string_view kTimeField = "time";
constexpr int kUsual = 15;     // a longer width is for few values
constexpr int kLeastRows = 5;  // a lower screen has no room for headers
constexpr std::string_view kBold = "\033[1m", kAlarm = "\033[1;31m", kPlain = "\033[0m", kDim = "\033[90m";

std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::kNone: return "";
    case Colour::kGreen: return "\033[32m";
    case Colour::kYellow: return "\033[33m";
    case Colour::kRed: return "\033[31m";
    case Colour::kBlue: return "\033[34m";
    case Colour::kMagenta: return "\033[35m";
    case Colour::kGrey: return kDim;
  }
  return "";
}

bool is_bytes(const Field& field) { return field.unit == "bytes"; }
bool is_number(const Field& field) {
  return field.type == FieldType::kMicros || field.type == FieldType::kUnsigned || field.type == FieldType::kId;
}

// Whole KiB, MiB or GiB of a number of bytes that is too long.
void add_scaled(Buffer& out, std::string_view number, int width) {
  uint64_t bytes = 0;
  std::from_chars(number.data(), number.data() + number.size(), bytes);
  char text[24];
  for (const char unit : {'K', 'M', 'G'}) {
    bytes /= 1024;
    char* end = std::to_chars(text, text + sizeof text - 1, bytes).ptr;
    *end++ = unit;
    if (end - text > width && unit != 'G') continue;
    out.fill(' ', static_cast<size_t>(std::max<ptrdiff_t>(0, width - (end - text))));
    return out.add(std::string_view(text, static_cast<size_t>(end - text)));
  }
}

// A narrower form of a decimal number: fewer digits behind the point. Digits before it are never cut.
std::string_view fewer_decimals(std::string_view number, int width) {
  const size_t point = number.find('.');
  if (point == std::string_view::npos) return number;
  const size_t least = point, wanted = static_cast<size_t>(width);
  return number.substr(0, wanted > least + 1 ? wanted : least);
}

// Of a value, what a column needs at least to show it.
int need_of(const Field& field, std::string_view text) {
  if (field.type == FieldType::kAddress || field.type == FieldType::kTime) return columns_of(text);
  if (is_bytes(field)) return 0;
  return is_number(field) ? static_cast<int>(std::min(text.find('.'), text.size())) : 0;
}

std::string_view colour_of(const Field& field, const Event& event, std::string_view text) {
  if (text.size() == 1 && text[0] == kUnknown) return kDim;
  const EnumValue* value = field.type == FieldType::kEnum ? enum_of(field, event) : nullptr;
  return value ? escape_of(value->colour) : "";
}

}  // namespace

Table::Table(const EventType& type, const TableLook& look)
    : times_(look.times.value_or(TimeStyle::kTime)), has_times_(look.times != TimeStyle::kNone), colour_(look.colour) {
  const std::span<const Column> columns = columns_in_view(type, look.view);
  const auto is_time = [&type](const Column& column) {
    const Field* field = find_field(type, column.field);
    return field->type == FieldType::kTime;
  };
  const bool has_column = std::any_of(columns.begin(), columns.end(), is_time);
  if (look.times && !has_column && find_field(type, kTimeField)) add_column(type, {.field = kTimeField});
  for (Column column : columns) {
    if (is_time(column) && look.times) column.priority = 255;  // it was asked for
    add_column(type, column);
  }
}

void Table::add_column(const EventType& type, Column column) {
  const Field* field = find_field(type, column.field);
  const bool is_time = field->type == FieldType::kTime;
  if (is_time) {
    if (!has_times_) return;
    column.header = times_.header();
    column.min_width = column.width = static_cast<uint8_t>(times_.width());
    column.right = times_.is_number();
  }
  const int usual = std::max<int>(column.min_width, std::min<int>(column.width, kUsual));
  const Field* port = column.port.empty() ? nullptr : find_field(type, column.port);
  const Writer write = port ? line_writer(*field, false) : cell_writer(*field);  // in brackets where a port follows
  cells_.push_back({.column = column,
                    .field = field,
                    .prefer = column.prefer.empty() ? nullptr : find_field(type, column.prefer),
                    .write = is_time ? nullptr : write,
                    .port = port});
  wishes_.push_back({.min_width = column.min_width,
                     .usual = usual,
                     .most = column.width,
                     .firm = is_time || is_number(*field),
                     .priority = column.priority});
}

// Whether that changed anything.
bool Table::choose() {
  const std::vector<int> widths = is_on_terminal() ? fit_columns(wishes_, screen_.columns) : unbounded_columns(wishes_);
  bool changed = false;
  for (size_t i = 0; i < cells_.size(); ++i) {
    changed |= cells_[i].width != widths[i];
    cells_[i].width = widths[i];
    if (widths[i] > 0) last_ = i;
  }
  return changed;
}

bool Table::is_page_full() const { return screen_.rows >= kLeastRows && lines_on_page_ >= screen_.rows - 1; }

// What no value of the page that ends has needed is given up.
void Table::turn_page() {
  for (size_t i = 0; i < cells_.size(); ++i) {
    wishes_[i].seen = std::exchange(cells_[i].page_seen, 0);
    wishes_[i].need = std::exchange(cells_[i].page_need, 0);
  }
  choose();
  wants_header_ = true;
}

void Table::begin(Buffer& out, Screen screen) {
  const bool is_other_width = screen.columns != screen_.columns;
  screen_ = screen;
  if (started_ && !is_other_width) return;
  choose();
  wants_header_ = true;
  if (!std::exchange(started_, true) && !is_on_terminal()) add_header(out);
}

void Table::add_cell(Buffer& out, const Cell& cell, std::string_view text, bool last) const {
  const bool is_too_long = is_on_terminal() && columns_of(text) > cell.width;
  const bool is_whole = wishes_[static_cast<size_t>(&cell - cells_.data())].firm;
  if (is_too_long && is_bytes(*cell.field)) return add_scaled(out, text, cell.width);
  if (is_too_long && is_whole) text = fewer_decimals(text, cell.width);
  const size_t padding = static_cast<size_t>(std::max(0, cell.width - columns_of(text)));
  if (cell.column.right) out.fill(' ', padding);
  if (is_too_long && !is_whole) {  // into less than the width, where half of a wide character would have fitted
    const int used = add_shortened(out, text, cell.width, cell.column.cut_end && !cell.is_other);
    return out.fill(' ', last ? 0 : static_cast<size_t>(cell.width - used));
  }
  out.add(text);
  if (!cell.column.right && !last) out.fill(' ', padding);
}

void Table::add_header(Buffer& out) {
  if (colour_) out.add(kBold);
  bool first = true;
  for (const Cell& cell : cells_) {
    if (cell.width == 0) continue;
    if (!first) out.add(' ');
    first = false;
    add_cell(out, cell, cell.column.header, &cell == &cells_[last_]);
  }
  if (colour_) out.add(kPlain);
  out.add('\n');
  wants_header_ = false;
  lines_on_page_ = 1;
}

// Also the cells that are left out: what they hold may need more room than there is, now and on the next page.
void Table::render(const Event& event, const WallTime& wall) {
  texts_.clear();
  for (Cell& cell : cells_) {
    cell.at = texts_.size();
    cell.is_other = cell.prefer && is_present(*cell.prefer, event);
    if (cell.write)
      cell.write(texts_, cell.is_other ? *cell.prefer : *cell.field, event, wall);
    else
      times_.add(texts_, event.header->time_ns, wall);
    if (cell.port && is_present(*cell.field, event)) {
      texts_.add(':');
      cell_writer (*cell.port)(texts_, *cell.port, event, wall);
    }
    cell.bytes = texts_.size() - cell.at;
  }
}

// Whether the column wishes for more than it did.
bool Table::look_at(size_t index) {
  Cell& cell = cells_[index];
  ColumnWish& wish = wishes_[index];
  const std::string_view text = texts_.view().substr(cell.at, cell.bytes);
  const int columns = columns_of(text), need = need_of(*cell.field, text);
  const auto steps = [&](int n) { return n <= wish.min_width ? 0 : wish.firm ? n : in_steps(n, wish.usual); };
  cell.page_seen = std::max(cell.page_seen, steps(columns));
  cell.page_need = std::max(cell.page_need, steps(need));
  if (cell.page_seen <= wish.seen && cell.page_need <= wish.need) return false;
  wish.seen = std::max(wish.seen, cell.page_seen);
  wish.need = std::max(wish.need, cell.page_need);
  return true;
}

void Table::add_row(Buffer& out, const Event& event, const WallTime& wall) {
  if (is_page_full()) turn_page();
  render(event, wall);
  bool more = false;
  for (size_t i = 0; i < cells_.size(); ++i) more |= look_at(i);
  if (more && choose() && is_on_terminal()) wants_header_ = true;
  if (wants_header_ && is_on_terminal()) add_header(out);
  bool first = true;
  for (const Cell& cell : cells_) {
    if (cell.width == 0) continue;
    if (!first) out.add(' ');
    first = false;
    const std::string_view text = texts_.view().substr(cell.at, cell.bytes);
    const std::string_view escape = colour_ ? colour_of(*cell.field, event, text) : "";
    out.add(escape);
    add_cell(out, cell, text, &cell == &cells_[last_]);
    if (!escape.empty()) out.add(kPlain);
  }
  out.add('\n');
  ++lines_on_page_;
}

void Table::add_note(Buffer& out, const Event& event, const WallTime& wall) {
  texts_.clear();
  if (has_times_) {
    times_.add(texts_, event.header->time_ns, wall);
    texts_.add(' ');
  }
  notes_.of(*event.type).add(texts_, event, wall);
  if (colour_) out.add(event.header->kind == GAP_KIND ? kAlarm : kBold);
  lines_on_page_ += add_wrapped(out, texts_.view(), screen_.columns);
  if (!colour_) return;
  out.truncate(out.size() - 1);
  out.add(kPlain);
  out.add('\n');
}

}  // namespace sockeye::text
