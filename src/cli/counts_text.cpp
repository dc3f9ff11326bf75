// SPDX-License-Identifier: Apache-2.0
#include "cli/counts_text.h"

#include <algorithm>
#include <string>

#include "base/columns.h"
#include "base/text.h"
#include "cli/groups_text.h"
#include "event/section_fields.h"
#include "event/sink.h"

namespace sockeye {
namespace {

// The kernel's states that a socket can be seen in, as `ss` lists them. Closed sockets are in no table that could be
// counted; NEW_SYN_RECV is counted as SYN_RECV.
bool is_counted(uint8_t state) { return state != TCP_CLOSE && state != TCP_NEW_SYN_RECV; }

uint64_t milliseconds_between(uint64_t from_ns, uint64_t to_ns) { return (to_ns - from_ns) / 1'000'000; }

constexpr size_t kNameWidth = 11;  // ESTABLISHED

void add_aligned(Buffer& out, std::string_view name, std::string_view number, size_t width) {
  out.add(name);
  out.fill(' ', kNameWidth - name.size() + 2 + width - number.size());
  out.add(number);
  out.add('\n');
}

void add_drift_words(Buffer& out, const CountsReading& reading) {
  if (!reading.is_drift_known) {
    out.add("drift unknown: ");
    add_plain_spaced(out, reading.why_not);
    return;
  }
  out.add("drift");
  bool any = false;
  for (const EnumValue& state : kTcpStates) {
    const int64_t drift = is_counted(state.value) ? reading.drift[state.value] : 0;
    if (drift == 0) continue;
    out.add(any ? ", " : " ");
    out.add(state.name);
    out.add(drift > 0 ? " +" : " ");
    out.add_number(drift);
    any = true;
  }
  if (!any) out.add(" 0");
}

void add_key(Buffer& out, std::string_view key, bool first) {
  if (!first) out.add(',');
  out.add('"');
  out.add(key);
  out.add("\":");
}

void add_json_drift(Buffer& out, const CountsReading& reading) {
  if (!reading.is_drift_known) {
    out.add("null,\"drift_unknown\":\"");
    add_json_text(out, reading.why_not);
    out.add('"');
    return;
  }
  bool first = true;
  out.add('{');
  for (const EnumValue& state : kTcpStates) {
    if (!is_counted(state.value) || reading.drift[state.value] == 0) continue;
    add_key(out, state.name, first);
    out.add_number(reading.drift[state.value]);
    first = false;
  }
  out.add('}');
}

int64_t total_of(const CountsReading& reading) {
  int64_t total = 0;
  for (const EnumValue& state : kTcpStates) {
    if (is_counted(state.value)) total += reading.sockets[state.value];
  }
  return total;
}

void add_visited_words(Buffer& out, const CountsReading& reading) {
  out.add("visited ");
  out.add_number(milliseconds_between(reading.iterated_time_ns, reading.time_ns));
  out.add(" ms ago in ");
  out.add_number(reading.namespaces);
  out.add(reading.namespaces == 1 ? " network namespace; " : " network namespaces; ");
}

}  // namespace

void add_counts_table(Buffer& out, const CountsReading& reading, int columns) {
  const std::string total = std::to_string(total_of(reading));
  const std::string_view header = "COUNT";
  const size_t width = std::max(header.size(), total.size());
  add_aligned(out, "STATE", header, width);
  for (const EnumValue& state : kTcpStates) {
    if (is_counted(state.value)) add_aligned(out, state.name, std::to_string(reading.sockets[state.value]), width);
  }
  add_aligned(out, "total", total, width);
  Buffer words(256);
  words.add("TIME_WAIT, orphaned FIN_WAIT2 and half-open: ");
  add_visited_words(words, reading);
  add_drift_words(words, reading);
  add_wrapped(out, words.view(), columns);
}

void add_grouped_counts_table(Buffer& out, const CountsReading& reading, int columns) {
  add_groups_table(out, *reading.grouped, columns);
  Buffer words(256);
  words.add("as ");
  add_visited_words(words, reading);
  if (reading.grouped->folded > 0) {
    words.add_number(reading.grouped->folded);
    words.add(" groups are in other; ");
  }
  words.add("counted now: ");
  words.add_number(total_of(reading));
  words.add("; ");
  add_drift_words(words, reading);
  add_wrapped(out, words.view(), columns);
}

void add_counts_json(Buffer& out, const CountsReading& reading, const WallTime& wall, int version) {
  out.add("{\"v\":");
  out.add_number(static_cast<uint64_t>(version));
  out.add(",\"event\":\"counts\",\"time\":\"");
  add_rfc3339(out, wall.of(reading.time_ns));
  out.add("\",\"timestamp_ns\":");
  out.add_number(reading.time_ns);
  out.add(",\"sockets\":{");
  bool first = true;
  for (const EnumValue& state : kTcpStates) {
    if (state.value == TCP_NEW_SYN_RECV) continue;
    add_key(out, state.name, first);
    first = false;
    if (is_counted(state.value)) {
      out.add_number(reading.sockets[state.value]);
    } else {
      out.add("null");
    }
  }
  out.add("},\"drift\":");
  add_json_drift(out, reading);
  out.add(",\"iterated_age_ms\":");
  out.add_number(milliseconds_between(reading.iterated_time_ns, reading.time_ns));
  out.add(",\"namespaces\":");
  out.add_number(reading.namespaces);
  if (reading.grouped) {
    out.add(',');
    add_groups_json(out, *reading.grouped);
  }
  out.add("}\n");
}

}  // namespace sockeye
