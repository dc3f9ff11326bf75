// SPDX-License-Identifier: Apache-2.0
#include "base/columns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sockeye {
namespace {

TEST(Wrapped, BreaksAtBlanksAndLosesNothing) {
  const auto wrapped = [](std::string_view text, int width) {
    Buffer out;
    const int lines = add_wrapped(out, text, width);
    EXPECT_EQ(lines, std::count(out.view().begin(), out.view().end(), '\n'));
    return std::string(out.view());
  };
  EXPECT_EQ(wrapped("one two three", 0), "one two three\n");
  EXPECT_EQ(wrapped("one two three", 13), "one two three\n");
  EXPECT_EQ(wrapped("one two three", 12), "one two\n  three\n");
  EXPECT_EQ(wrapped("one two three", 7), "one two\n  three\n");
  EXPECT_EQ(wrapped("one two three", 5), "one\n  two\n  three\n");
  EXPECT_EQ(wrapped("undivided", 4), "undivided\n");
}

TEST(Shortened, CountsCodePointsAndCutsNoneInHalf) {
  Buffer out;
  EXPECT_EQ(add_shortened(out, "caf\xc3\xa9", 4, false), 4);
  EXPECT_EQ(out.view(), "caf\xc3\xa9");
  out.clear();
  EXPECT_EQ(add_shortened(out, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4, false), 4);
  EXPECT_EQ(out.view(), "\xc3\xa9~\xc3\xa9\xc3\xa9");
  out.clear();
  EXPECT_EQ(add_shortened(out, "8f2b1c6d9e0a4b3c", 12, true), 12);
  EXPECT_EQ(out.view(), "8f2b1c6d9e0a");
}

TEST(Columns, AWideCharacterTakesTwo) {
  EXPECT_EQ(columns_of("caf\xc3\xa9"), 4);
  EXPECT_EQ(columns_of("\xe6\xbc\xa2\xe5\xad\x97"), 4) << "two of Chinese";
  EXPECT_EQ(columns_of("\xf0\x9f\x90\x9f!"), 3) << "a fish";
  EXPECT_EQ(columns_of("\xff"), 1) << "broken: whatever it is, it ends";
}

TEST(Shortened, NeverTakesMoreThanItsWidth) {
  const std::string four = "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97";  // 8 columns
  for (int width = 1; width < 8; ++width) {
    for (const bool head_only : {false, true}) {
      Buffer out;
      const int used = add_shortened(out, four, width, head_only);
      EXPECT_EQ(used, columns_of(out.view())) << width;
      EXPECT_LE(columns_of(out.view()), width);
    }
  }
  Buffer out;
  add_shortened(out, four, 6, false);
  EXPECT_EQ(out.view(), "\xe6\xbc\xa2~\xe5\xad\x97") << "the sixth column would be half of a character";
}

}  // namespace
}  // namespace sockeye
