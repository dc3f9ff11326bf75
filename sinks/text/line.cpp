// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/line.h"

#include <cstdio>
#include <cstdlib>

namespace sockeye::text {
namespace {

constexpr std::string_view kTime = "{time} ";

}  // namespace

LineTemplate::LineTemplate(const EventType& type, bool with_time, std::string_view view) {
  std::string_view rest = line_in_view(type, view);
  if (!with_time && rest.starts_with(kTime)) rest.remove_prefix(kTime.size());
  while (true) {
    const size_t open = rest.find('{');
    if (open == std::string_view::npos) break;
    const size_t close = rest.find('}', open);
    const std::string_view word = rest.substr(open + 1, close - open - 1);
    const bool words = word.ends_with(":words");
    const Field* field = find_field(type, words ? word.substr(0, word.size() - 6) : word);
    if (close == std::string_view::npos || !field) {  // a descriptor is wrong: its test finds it
      fprintf(stderr, "sockeye: bug: the line template of %.*s names an unknown field\n",
              static_cast<int>(type.name.size()), type.name.data());
      abort();
    }
    add_part(rest.substr(0, open), field, line_writer(*field, words));
    rest.remove_prefix(close + 1);
  }
  add_part(rest, nullptr, nullptr);
}

void LineTemplate::add_part(std::string_view before, const Field* field, Writer write) {
  Part part = {};
  for (; before.size() > sizeof part.before; before.remove_prefix(sizeof part.before)) {
    part.length = before.copy(part.before, sizeof part.before);
    parts_.push_back(part);
  }
  part.length = before.copy(part.before, sizeof part.before);
  part.field = field;
  part.write = write;
  parts_.push_back(part);
}

void LineTemplate::add(Buffer& out, const Record& record, const WallTime& wall) const {
  for (const Part& part : parts_) {
    out.add_first(part.before, part.length);
    if (part.field) part.write(out, *part.field, record, wall);
  }
}

const LineTemplate& LineTemplates::of(const EventType& type) {
  for (const Entry& entry : entries_) {
    if (entry.type == &type) return entry.line;
  }
  return entries_.emplace_back(Entry{&type, LineTemplate(type, with_time_, view_)}).line;
}

}  // namespace sockeye::text
