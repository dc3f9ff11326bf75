// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/line.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace sockeye::text {
namespace {

constexpr std::string_view kTime = "{time} ";

}  // namespace

LineTemplate::LineTemplate(const EventType& type, bool with_time, std::string_view view) {
  std::string_view rest = line_in_view(type, view);
  if (!with_time && rest.starts_with(kTime)) rest.remove_prefix(kTime.size());
  while (!rest.empty()) {
    const size_t length = std::min(rest.find(' ', 1), rest.size());
    add_word(type, rest.substr(0, length));
    rest.remove_prefix(length);
  }
}

// `word` begins with the blank before it.
void LineTemplate::add_word(const EventType& type, std::string_view word) {
  const size_t begin = parts_.size();
  std::vector<Part> guards;
  for (size_t open = word.find('{'); open != std::string_view::npos; open = word.find('{')) {
    const size_t close = word.find('}', open);
    const std::string_view name = word.substr(open + 1, close - open - 1);
    const bool words = name.ends_with(":words");
    const Field* field = find_field(type, words ? name.substr(0, name.size() - 6) : name);
    if (close == std::string_view::npos || !field) {  // a descriptor is wrong: its test finds it
      fprintf(stderr, "sockeye: bug: the line template of %.*s names an unknown field\n",
              static_cast<int>(type.name.size()), type.name.data());
      abort();
    }
    add_part(word.substr(0, open), field, line_writer(*field, words));
    if (may_be_none(*field)) guards.push_back({.field = field});
    word.remove_prefix(close + 1);
  }
  if (!word.empty()) add_part(word, nullptr, nullptr);
  for (Part& guard : guards) {
    guard.guarded = parts_.size() - begin;
    parts_.insert(parts_.begin() + static_cast<ptrdiff_t>(begin), guard);
  }
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

void LineTemplate::add(Buffer& out, const Event& event, const WallTime& wall) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (part.guarded > 0) {
      if (is_none(*part.field, event)) i += part.guarded;
      continue;
    }
    out.add_first(part.before, part.length);
    if (part.field) part.write(out, *part.field, event, wall);
  }
}

const LineTemplate& LineTemplates::of(const EventType& type) {
  for (const Entry& entry : entries_) {
    if (entry.type == &type) return entry.line;
  }
  return entries_.emplace_back(Entry{&type, LineTemplate(type, with_time_, view_)}).line;
}

}  // namespace sockeye::text
