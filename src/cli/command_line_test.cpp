// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

TEST(NearestWord, FindsTheWordThatWasMeant) {
  const std::vector<std::string> words = {"--dst-port", "--src-port", "--duration", "--format"};
  EXPECT_EQ(nearest_word("--dts-port", words), "--dst-port") << "letters swapped";
  EXPECT_EQ(nearest_word("--duratoin", words), "--duration");
  EXPECT_EQ(nearest_word("--fromat", words), "--format");
  EXPECT_EQ(nearest_word("--dst-prt", words), "--dst-port");
}

TEST(NearestWord, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(nearest_word("--colour-of-the-sea", {"--dst-port", "--format"}), "");
  EXPECT_EQ(nearest_word("x", {"states", "list"}), "");
  EXPECT_EQ(nearest_word("states", {}), "");
}

TEST(NoSuchCollector, NamesTheNearestThatMayBeAskedFor) {
  const auto all = [](const Collector&) { return true; };
  const auto streams = [](const Collector& collector) { return collector.has_stream; };
  EXPECT_EQ(no_such_collector("count", all).hint, "did you mean counts?");
  EXPECT_EQ(no_such_collector("count", streams).hint, "see sockeye list");
  EXPECT_EQ(no_such_collector("sta\x1btes", streams).what, "there is no collector sta\\x1btes");
}

}  // namespace
}  // namespace sockeye
