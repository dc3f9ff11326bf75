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

}  // namespace
}  // namespace sockeye
