// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/filter_options.h"

namespace sockeye {
namespace {

using Words = std::vector<std::string>;

Result<ContainerFilter> parse(const Words& words) {
  FilterOptions options;
  options.container = words;
  return parse_containers(options);
}

TEST(ContainerOption, TakesListsAndExclusions) {
  const auto filter = parse({"3f4a,web-1", "!db.2 Task_1"});
  ASSERT_TRUE(filter) << filter.error().what;
  EXPECT_EQ(filter->wanted, (Words{"3f4a", "web-1", "Task_1"}));
  EXPECT_EQ(filter->excluded, Words{"db.2"});
}

TEST(ContainerOption, NoneIsNoFilter) {
  const auto filter = parse({});
  ASSERT_TRUE(filter);
  EXPECT_FALSE(filter->is_active());
}

TEST(ContainerOption, RefusesWhatNoContainerIsCalled) {
  for (const char* word : {"", "!", ",", "a,,b", "/docker/3f4a", "3f4a*", "\x1b[31m", "\xc3\xa4"}) {
    const auto filter = parse({word});
    ASSERT_FALSE(filter) << word;
    EXPECT_EQ(filter.error().code, ErrorCode::kUsage);
    EXPECT_TRUE(filter.error().what.starts_with("--container")) << filter.error().what;
    EXPECT_NE(filter.error().hint.find("--container 3f4a"), std::string::npos) << filter.error().hint;
  }
  EXPECT_TRUE(parse({std::string(255, 'a')}));
  EXPECT_FALSE(parse({std::string(256, 'a')}));
}

}  // namespace
}  // namespace sockeye
