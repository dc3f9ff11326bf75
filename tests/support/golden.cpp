// SPDX-License-Identifier: Apache-2.0
#include "tests/support/golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace sockeye {
namespace {

// A line ends with its newline, so that a missing one at the end shows.
std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t length = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

std::string shown(char mark, std::string_view line) {
  std::string text(1, mark);
  for (const char c : line) {
    if (c == '\n') continue;
    if (c >= ' ' && c != 0x7f) {
      text += c;
    } else {
      char escaped[8];
      snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
      text += escaped;
    }
  }
  return text + (line.ends_with('\n') ? "\n" : " (no newline)\n");
}

// Three lines that are the same, then up to five of each side from the first difference on.
std::string first_difference(std::string_view expected, std::string_view actual) {
  const auto old_lines = split_lines(expected);
  const auto new_lines = split_lines(actual);
  const auto [old_end, new_end] = std::mismatch(old_lines.begin(), old_lines.end(), new_lines.begin(), new_lines.end());
  const auto at = static_cast<size_t>(old_end - old_lines.begin());
  std::string text = "@@ line " + std::to_string(at + 1) + " of " + std::to_string(old_lines.size()) +
                     " (golden) and " + std::to_string(new_lines.size()) + " (now) @@\n";
  for (size_t i = at - std::min<size_t>(at, 3); i < at; ++i) text += shown(' ', old_lines[i]);
  for (size_t i = at; i < std::min(at + 5, old_lines.size()); ++i) text += shown('-', old_lines[i]);
  for (size_t i = at; i < std::min(at + 5, new_lines.size()); ++i) text += shown('+', new_lines[i]);
  return text;
}

void update(const std::filesystem::path& file, std::string_view text) {
  std::error_code ignored;  // what matters shows in the write
  std::filesystem::create_directories(file.parent_path(), ignored);
  std::ofstream out(file, std::ios::binary);
  out << text << std::flush;
  if (!out) ADD_FAILURE() << "cannot write " << file;
}

}  // namespace

void expect_golden(const std::string& path, std::string_view text) {
  const auto file = std::filesystem::path(SOCKEYE_SOURCE_DIR) / path;
  if (getenv("SOCKEYE_UPDATE_GOLDEN")) return update(file, text);
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    ADD_FAILURE() << path << " is not there. If the text is right: ./dev test --update\n" << first_difference("", text);
    return;
  }
  std::ostringstream expected;
  expected << in.rdbuf();
  if (expected.str() == text) return;
  ADD_FAILURE() << path << " differs. If the new text is right: ./dev test --update\n"
                << first_difference(expected.str(), text);
}

void expect_kept(const std::string& path, std::string_view bytes) {
  const auto file = std::filesystem::path(SOCKEYE_SOURCE_DIR) / path;
  if (std::filesystem::exists(file)) return;
  if (getenv("SOCKEYE_UPDATE_GOLDEN")) return update(file, bytes);
  ADD_FAILURE() << path << " is not there. To make it: ./dev test --update";
}

}  // namespace sockeye
