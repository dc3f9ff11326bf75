// SPDX-License-Identifier: Apache-2.0
// Text that has to fit into columns of a terminal.
#pragma once

#include <string_view>

#include "base/buffer.h"

namespace sockeye {

// Columns of a terminal that UTF-8 text takes: two for a wide character (East Asian, emoji).
int columns_of(std::string_view text);

// Shortens UTF-8 text to `width` columns, with `~` for what is cut out of its middle, or to its first `width` columns;
// the number of columns it then takes.
int add_shortened(Buffer& out, std::string_view text, int width, bool head_only);

// Broken at blanks into lines of at most `width` columns (longer only where there is no blank), each with a newline; 0:
// one line. The number of lines.
int add_wrapped(Buffer& out, std::string_view text, int width);

}  // namespace sockeye
