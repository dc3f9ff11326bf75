// SPDX-License-Identifier: Apache-2.0
// What Unicode says of characters, by libutf8proc.
#pragma once

#include <cstdint>
#include <string_view>

namespace sockeye {

struct CodePoint {
  uint32_t value;
  size_t bytes;  // 0: broken UTF-8
};

// That `text`, which is not empty, begins with (RFC 3629: shortest form only, no surrogates, at most U+10FFFF).
CodePoint first_code_point(std::string_view text);

// Whether people can see it, where it stands: not what is blank or invisible, joins what stands before it, reorders
// what stands around it, or is no character (yet). A space is blank.
bool is_visible(uint32_t code_point);

// Columns that it takes on a terminal: 0, 1 or 2.
int width_of(uint32_t code_point);

}  // namespace sockeye
