// SPDX-License-Identifier: Apache-2.0
#include "base/columns.h"

#include <algorithm>

#include "base/unicode.h"

namespace sockeye {
namespace {

constexpr std::string_view kIndent = "  ";  // of what does not fit into the first line

// What the text, which is not empty, begins with.
struct Glyph {
  size_t bytes;
  int columns;
};

Glyph first_glyph(std::string_view text) {
  if (static_cast<unsigned char>(text[0]) < 0x80) return {1, 1};
  const CodePoint point = first_code_point(text);
  return point.bytes > 0 ? Glyph{point.bytes, width_of(point.value)} : Glyph{1, 1};
}

// As much of the beginning as fits into `columns`, in bytes.
size_t bytes_of(std::string_view text, int columns) {
  size_t at = 0;
  while (at < text.size()) {
    const Glyph glyph = first_glyph(text.substr(at));
    if (glyph.columns > columns) break;
    columns -= glyph.columns;
    at += glyph.bytes;
  }
  return at;
}

// As much of the end as fits into `columns`.
std::string_view end_of(std::string_view text, int columns) {
  for (int left = columns_of(text); left > columns;) {
    const Glyph glyph = first_glyph(text);
    left -= glyph.columns;
    text.remove_prefix(glyph.bytes);
  }
  return text;
}

}  // namespace

int columns_of(std::string_view text) {
  int columns = 0;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    columns += glyph.columns;
    text.remove_prefix(glyph.bytes);
  }
  return columns;
}

int add_shortened(Buffer& out, std::string_view text, int width, bool head_only) {
  const int columns = columns_of(text);
  if (columns <= width) {
    out.add(text);
    return columns;
  }
  const std::string_view head = text.substr(0, bytes_of(text, head_only ? width : (width - 1) / 2));
  out.add(head);
  if (head_only) return columns_of(head);
  const std::string_view tail = end_of(text, width - 1 - (width - 1) / 2);
  out.add('~');
  out.add(tail);
  return columns_of(head) + 1 + columns_of(tail);
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
