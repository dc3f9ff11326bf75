// SPDX-License-Identifier: Apache-2.0
#include "base/columns.h"

#include <algorithm>

namespace sockeye {
namespace {

constexpr std::string_view kIndent = "  ";  // of what does not fit into the first line

// The bytes of the first `columns` code points.
size_t bytes_of(std::string_view text, int columns) {
  size_t at = 0;
  while (at < text.size() && (columns > 0 || (text[at] & 0xc0) == 0x80)) {
    if ((text[at] & 0xc0) != 0x80) --columns;
    ++at;
  }
  return at;
}

}  // namespace

int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

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

int add_wrapped(Buffer& out, std::string_view text, int width) {
  int lines = 1;
  for (; width > 0 && columns_of(text) > width; ++lines) {
    size_t cut = text.rfind(' ', bytes_of(text, width));
    if (cut == std::string_view::npos) cut = text.find(' ');
    if (cut == std::string_view::npos) break;
    out.add(text.substr(0, cut));
    out.add('\n');
    out.add(kIndent);
    text.remove_prefix(cut + 1);
    if (lines == 1) width = std::max(1, width - static_cast<int>(kIndent.size()));
  }
  out.add(text);
  out.add('\n');
  return lines;
}

}  // namespace sockeye
