// SPDX-License-Identifier: Apache-2.0
#include "cli/groups_text.h"

#include <algorithm>
#include <string>

#include "base/columns.h"
#include "base/text.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

using Kind = SocketGroup::Kind;

constexpr size_t kContainerHead = 12;  // digits of a container's id that its runtime's own lists show
constexpr size_t kContainerId = 64;
constexpr int kLongName = 16;  // a name on a terminal may be this wide while states are left out for it
constexpr int kLeastName = 6;

std::string shown_name(GroupBy by, const SocketGroup& group) {
  switch (group.kind) {
    case Kind::kUnknown: return "?";
    case Kind::kKernel: return "kernel";
    case Kind::kNoContainer: return "-";
    case Kind::kOther: return "other";
    case Kind::kKnown: break;
  }
  if (by == GroupBy::kNetns || by == GroupBy::kPort) return std::to_string(group.number);
  Buffer escaped(64);
  add_plain_spaced(escaped, group.container_name.empty() ? group.name : group.container_name);
  std::string name(escaped.view());
  if (group.container_name.empty() && by == GroupBy::kContainer && name.size() == kContainerId)
    name.resize(kContainerHead);
  return name;
}

struct Row {
  std::string name;
  std::vector<int64_t> counts;  // one a column
};

// What is shown, before it is fitted into a terminal.
struct Table {
  std::vector<std::string> headers;  // of the columns of numbers
  std::vector<Row> rows;             // the last adds up the others
  int name_width;
};

size_t number_width(int64_t number) { return std::to_string(number).size(); }

// The numbers of the last row are the largest of their columns.
int column_width(const Table& table, size_t column) {
  return static_cast<int>(std::max(table.headers[column].size(), number_width(table.rows.back().counts[column])));
}

int table_width(const Table& table) {
  int width = table.name_width;
  for (size_t column = 0; column < table.headers.size(); ++column) width += 2 + column_width(table, column);
  return width;
}

Row make_row(std::string name, const SocketGroup& group, const std::vector<uint8_t>& states, bool rest) {
  Row row{std::move(name), {}};
  int64_t left = group.total;
  for (const uint8_t state : states) {
    row.counts.push_back(group.sockets[state]);
    left -= group.sockets[state];
  }
  if (rest) row.counts.push_back(left);
  row.counts.push_back(group.total);
  return row;
}

SocketGroup add_up(const std::vector<SocketGroup>& groups) {
  SocketGroup sum;
  for (const SocketGroup& group : groups) {
    for (size_t state = 0; state < group.sockets.size(); ++state) sum.sockets[state] += group.sockets[state];
    sum.total += group.total;
  }
  return sum;
}

// `states`: those with a column of their own, in the order of kTcpStates; `rest`: the others have one together.
Table make_table(const GroupedSockets& grouped, const std::vector<uint8_t>& states, bool rest) {
  Table table;
  for (const EnumValue& state : kTcpStates) {
    if (std::count(states.begin(), states.end(), state.value) > 0) table.headers.emplace_back(state.name);
  }
  if (rest) table.headers.emplace_back("OTHER");
  table.headers.emplace_back("TOTAL");
  for (const SocketGroup& group : grouped.groups) {
    table.rows.push_back(make_row(shown_name(grouped.by, group), group, states, rest));
  }
  table.rows.push_back(make_row("total", add_up(grouped.groups), states, rest));
  table.name_width = columns_of(name_of(grouped.by));
  for (const Row& row : table.rows) table.name_width = std::max(table.name_width, columns_of(row.name));
  return table;
}

// Long names first, then the states that are least missed, then names again.
Table fit(const GroupedSockets& grouped, int columns) {
  const SocketGroup sum = add_up(grouped.groups);
  std::vector<uint8_t> states;
  for (const EnumValue& state : kTcpStates) {
    if (state.value < sum.sockets.size() && sum.sockets[state.value] > 0) states.push_back(state.value);
  }
  Table table = make_table(grouped, states, false);
  if (columns <= 0) return table;
  while (table_width(table) > columns) {
    if (table.name_width > kLongName) {
      table.name_width = std::max(kLongName, table.name_width - (table_width(table) - columns));
    } else if (states.size() > 1) {
      states.erase(std::min_element(states.begin(), states.end(),
                                    [&](uint8_t a, uint8_t b) { return sum.sockets[a] < sum.sockets[b]; }));
      const int name_width = table.name_width;
      table = make_table(grouped, states, true);
      table.name_width = std::min(table.name_width, name_width);
    } else {
      table.name_width = std::max(kLeastName, table.name_width - (table_width(table) - columns));
      break;
    }
  }
  return table;
}

void add_name(Buffer& out, std::string_view name, int width) {
  const int used = add_shortened(out, name, width, false);
  out.fill(' ', static_cast<size_t>(width - used));
}

void add_right(Buffer& out, std::string_view text, int width) {
  out.fill(' ', 2 + static_cast<size_t>(width) - text.size());
  out.add(text);
}

void add_state_members(Buffer& out, const StateCounts& sockets) {
  bool first = true;
  for (const EnumValue& state : kTcpStates) {
    if (state.value >= sockets.size() || sockets[state.value] == 0) continue;
    out.add(first ? "\"" : ",\"");
    out.add(state.name);
    out.add("\":");
    out.add_number(sockets[state.value]);
    first = false;
  }
}

std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::kUnknown: return "unknown";
    case Kind::kKernel: return "kernel";
    case Kind::kNoContainer: return "no_container";
    case Kind::kOther: return "other";
    case Kind::kKnown: break;
  }
  return "";
}

void add_if_known(Buffer& out, std::string_view key, const std::string& value) {
  if (value.empty()) return;
  out.add(",\"");
  out.add(key);
  out.add("\":\"");
  add_json_text(out, value);
  out.add('"');
}

// "comm":"nginx"; of a group without a key null, and which group that is.
void add_key_members(Buffer& out, GroupBy by, const SocketGroup& group) {
  out.add('"');
  out.add(name_of(by));
  out.add("\":");
  if (group.kind != Kind::kKnown) {
    out.add("null,\"group\":\"");
    out.add(word_of(group.kind));
    out.add('"');
  } else if (by == GroupBy::kPort || by == GroupBy::kNetns) {
    out.add_number(group.number);
  } else {
    out.add('"');
    add_json_text(out, group.name);
    out.add('"');
    add_if_known(out, "container_name", group.container_name);
    add_if_known(out, "container_user", group.container_user);
  }
  if (by != GroupBy::kNetns || group.kind != Kind::kKnown) return;
  out.add(",\"netns_cookie\":");
  if (group.netns_cookie == 0) return out.add("null");
  out.add('"');
  out.add_number(group.netns_cookie);
  out.add('"');
}

}  // namespace

void add_groups_table(Buffer& out, const GroupedSockets& grouped, int columns) {
  const Table table = fit(grouped, columns);
  std::string by(name_of(grouped.by));
  std::transform(by.begin(), by.end(), by.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  add_name(out, by, table.name_width);
  for (size_t column = 0; column < table.headers.size(); ++column) {
    add_right(out, table.headers[column], column_width(table, column));
  }
  out.add('\n');
  for (const Row& row : table.rows) {
    add_name(out, row.name, table.name_width);
    for (size_t column = 0; column < row.counts.size(); ++column) {
      add_right(out, std::to_string(row.counts[column]), column_width(table, column));
    }
    out.add('\n');
  }
}

void add_groups_json(Buffer& out, const GroupedSockets& grouped) {
  out.add("\"by\":\"");
  out.add(name_of(grouped.by));
  out.add("\",\"groups\":[");
  bool first = true;
  for (const SocketGroup& group : grouped.groups) {
    out.add(first ? "{" : ",{");
    add_key_members(out, grouped.by, group);
    out.add(",\"sockets\":{");
    add_state_members(out, group.sockets);
    out.add("},\"total\":");
    out.add_number(group.total);
    out.add('}');
    first = false;
  }
  out.add("],\"groups_folded\":");
  out.add_number(grouped.folded);
}

}  // namespace sockeye
