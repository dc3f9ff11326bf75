// SPDX-License-Identifier: Apache-2.0
// The line format: one greppable line an event, after the template of its event type.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sinks/text/values.h"

namespace sockeye::text {

// An event type's template ("... PID={pid} STATE={new_state:words}"), taken apart once. A word of it, which a blank
// ends, is left out where there is none of a value in it.
class LineTemplate {
 public:
  // Without `with_time`, the time that a template begins with is left out. `view`: as SinkOptions has it.
  LineTemplate(const EventType& type, bool with_time, std::string_view view);
  void add(Buffer& out, const Event& event, const WallTime& wall) const;  // without the newline

 private:
  // Some literal text, and the value after it: null at the end of a word, and where the text is longer than a part has
  // room for. With `guarded`, nothing but a question: where there is none of `field`, so many parts are left out.
  struct Part {
    char before[32];
    size_t length;
    const Field* field;
    Writer write;
    size_t guarded;
  };
  void add_word(const EventType& type, std::string_view word);
  void add_part(std::string_view before, const Field* field, Writer write);

  std::vector<Part> parts_;
};

// One template a type, made when the type is first met.
class LineTemplates {
 public:
  explicit LineTemplates(bool with_time = true, std::string view = {})
      : with_time_(with_time), view_(std::move(view)) {}
  const LineTemplate& of(const EventType& type);

 private:
  struct Entry {
    const EventType* type;
    LineTemplate line;
  };
  bool with_time_;
  std::string view_;
  std::vector<Entry> entries_;
};

}  // namespace sockeye::text
