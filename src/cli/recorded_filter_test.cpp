// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/filter_options.h"

namespace sockeye {
namespace {

// Of a recording: this machine's names are not those of the machine that it was made on.
TEST(FilterOptions, TakesNumbersOnlyWhereNamesMeanNothing) {
  FilterOptions options;
  options.by_numbers = true;
  options.uid = {"0"};
  options.netns = {"4026531840"};
  EXPECT_TRUE(parse_filter(options));
  options.uid = {"root"};
  EXPECT_FALSE(parse_filter(options));
  options.uid = {};
  options.netns = {"/proc/self/ns/net"};
  EXPECT_FALSE(parse_filter(options));
}

}  // namespace
}  // namespace sockeye
