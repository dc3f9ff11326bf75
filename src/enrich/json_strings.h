// SPDX-License-Identifier: Apache-2.0
// The strings of a JSON text, each with where it stands. For files and answers of others: bounded in depth, and what is
// broken ends the reading, after what stood before it.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace sockeye {

// Keys from the outermost object on; a level of an array is called "[]".
using JsonPath = std::span<const std::string>;

class JsonVisitor {
 public:
  virtual ~JsonVisitor() = default;
  // A string that is not deeper than kJsonLevels, as a value or in an array. `value` may hold any bytes, NUL too.
  virtual void text(JsonPath path, std::string_view value) = 0;
  // The object at `path` is over.
  virtual void end_object(JsonPath) {}
};

inline constexpr size_t kJsonLevels = 4;    // whose strings are told
inline constexpr size_t kJsonNesting = 64;  // a text that is nested deeper is taken for broken

// False: the text is broken, or nested too deep.
bool visit_json(std::string_view text, JsonVisitor& visitor);

// Whether a path is this one; "*" stands for any key.
bool is_path(JsonPath path, std::initializer_list<std::string_view> keys);

}  // namespace sockeye
